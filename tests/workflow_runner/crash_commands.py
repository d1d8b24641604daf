"""A process that tests kill: a runner with a connector server inside, whose jobs are real commands."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from connector_server.app import serve
from connector_server.settings import ServerSettings
from connectory.client.connector import ConnectorClient
from connectory.v1 import tasks_pb2, workflow_pb2
from tests.workflow_runner.workflows import closure, node, task, workflow
from workflow_runner.plugins.connector import connector_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.contract import UnknownExecutionError
from workflow_runner.store.opening import open_store

EXECUTION = "crash"
TRIES = {"n0": 1, "a0": 1, "a1": 2, "a2": 1, "b0": 1, "b1": 2, "b2": 1, "c0": 1, "c1": 1, "join": 1}
"""How often each node's command is started."""

SCRIPT = """
echo "start $1" >> "$2/commands.log"
sleep 0.08
tried=$(ls "$2" | grep -c "^tried-$1-")
mkdir "$2/tried-$1-$tried"
echo "end $1" >> "$2/commands.log"
[ "$tried" -ge "$3" ] || exit 75
"""


def command(name: str, folder: Path) -> tasks_pb2.TaskTemplate:
    config = {
        "command": [SCRIPT, name, str(folder), str(TRIES[name] - 1)],
        "shell": True,
        "retryable_exit_codes": [75],
    }
    return task(name, "process", retries=TRIES[name] - 1, custom=config)


def commands(folder: Path) -> workflow_pb2.CompiledWorkflowClosure:
    """Three branches of commands between a first one and a last one."""
    above = {"n0": [], "a0": ["n0"], "a1": ["a0"], "a2": ["a1"], "b0": ["n0"], "b1": ["b0"], "b2": ["b1"]}
    above |= {"c0": ["n0"], "c1": ["c0"], "join": ["a2", "b2", "c1"]}
    tasks = {name: command(name, folder) for name in TRIES}
    nodes = [node(name, tasks[name], after=above[name]) for name in TRIES]
    return closure(workflow("commands", nodes), list(tasks.values()))


async def carried_out(folder: Path, targets: Sequence[str]) -> None:
    """Begin the execution, or go on with it, by the connector services there; say when that begins and how it ended."""
    plugin = connector_plugin([ConnectorClient(target) for target in targets])
    async with Runner(open_store(f"sqlite:///{folder}/runs.db"), [plugin]) as runner:
        print("up", flush=True)
        try:
            await runner.resume(EXECUTION)
        except UnknownExecutionError:
            await runner.start(commands(folder), execution_id=EXECUTION)
        result = await runner.wait(EXECUTION)
    error = result.error.message if result.error is not None else ""
    print(msgspec.json.encode({"phase": result.phase, "error": error}).decode(), flush=True)


async def main(folder: Path) -> None:
    settings = ServerSettings(uds=(folder / "s",), ledger=str(folder / "ledger.db"), log_level="ERROR")
    async with serve(settings):
        await carried_out(folder, [f"unix:{folder}/s"])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
