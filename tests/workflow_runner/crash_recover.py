"""A process that is killed while it recovers an execution: the new one is kept, and the old one not ended yet."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence

from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.test_recovery import chain
from workflow_runner.again import recover
from workflow_runner.runner import Runner
from workflow_runner.store.contract import ExecutionRecord, LogRecord
from workflow_runner.store.sqlite import SqliteStore


class _Deadly(SqliteStore):
    async def create(self, execution: ExecutionRecord, log: Sequence[LogRecord], *, held: bool = False) -> None:
        await super().create(execution, log, held=held)
        if execution.id == "new":
            os.kill(os.getpid(), signal.SIGKILL)


async def main(path: str) -> None:
    plugin = FakePlugin({"second": ["hold"], "aside": ["hold"]})
    async with Runner(_Deadly(path), [plugin.entry()]) as runner:
        execution = await runner.start(chain(), execution_id="old")
        while sorted(key.split("/")[1] for key in plugin.live) != ["aside", "second"]:
            await plugin.holding.wait()
            plugin.holding.clear()
        await recover(runner, execution, name="new", rerun=["aside"])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
