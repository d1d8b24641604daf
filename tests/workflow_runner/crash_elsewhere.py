"""A runner process that tests kill: real commands, by the connector services whose addresses it is given."""

import asyncio
import sys
from pathlib import Path

import msgspec

from connectory.client.connector import ConnectorClient
from tests.workflow_runner.crash_commands import EXECUTION, commands
from workflow_runner.plugins.connector import connector_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.contract import UnknownExecutionError
from workflow_runner.store.opening import open_store


async def main(folder: Path, targets: list[str]) -> None:
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


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
