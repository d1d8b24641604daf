"""A runner that is killed once its connector service has created a job, and before the store knows the job's handle.

Run as `python -m tests.cli.killed_in_create STORE_FILE TARGET EXECUTION FOLDER`.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from connectory.client.connector import ConnectorClient
from tests.workflow_runner.workflows import closure, node, task, workflow
from workflow_runner.plugins.connector import connector_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.contract import PluginState
from workflow_runner.store.sqlite import SqliteStore

SCRIPT = 'echo "begun $$" >> "$1/log"; echo $$ > "$1/begun"; while [ ! -e "$1/gate" ]; do sleep 0.05; done'


class _Deadly(SqliteStore):
    async def put_plugin_state(self, execution_id: str, node: str, attempt: int, state: PluginState) -> None:
        if b'"handle":"' in state.data:
            os.kill(os.getpid(), signal.SIGKILL)
        await super().put_plugin_state(execution_id, node, attempt, state)


async def main(store: str, target: str, execution: str, folder: str) -> None:
    waits = task("waits", "process", custom={"command": ["/bin/sh", "-c", SCRIPT, "waits", folder]})
    compiled = closure(workflow("waiting", [node("n0", waits)]), [waits])
    Path(store).parent.mkdir(parents=True, exist_ok=True)
    async with Runner(_Deadly(store), [connector_plugin([ConnectorClient(target)])]) as runner:
        await runner.start(compiled, execution_id=execution)
        await runner.wait(execution)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
