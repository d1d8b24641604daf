"""A runner's process: starts the execution, or goes on with it, and says how it ended.

Run as `python -m tests.chaos.runner TARGET STORE`.
"""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Callable

from connectory.client.connector import ConnectorClient
from tests.chaos.flow import chaotic
from tests.workflow_runner.workflows import integer, literal_map
from workflow_runner.plugins.connector import connector_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.contract import UnknownExecutionError
from workflow_runner.store.opening import open_store

__all__ = ["EXECUTION"]

EXECUTION = "chaos"


def jumping() -> Callable[[], float]:
    """A clock that is set forward and back all the time, by more than the patience with a silent service."""
    chance = random.Random(9)
    return lambda: time.time() + chance.choice((-1_200, 0, 1_200))


async def main(target: str, store: str) -> None:
    clock = jumping() if os.environ.get("CHAOS_CLOCK") == "jumps" else time.time
    async with (
        ConnectorClient(target) as client,
        Runner(open_store(store), [connector_plugin([client])], clock=clock) as runner,
    ):
        try:
            await runner.resume(EXECUTION)
        except UnknownExecutionError:
            await runner.start(chaotic(), literal_map(a=integer(1)), execution_id=EXECUTION)
        print("up", flush=True)
        result = await runner.wait(EXECUTION)
    outputs = {} if result.outputs is None else dict(result.outputs.literals)
    said = {
        "phase": str(result.phase),
        "error": "" if result.error is None else result.error.message,
        "outputs": {name: literal.scalar.primitive.integer for name, literal in outputs.items()},
    }
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
