"""Many jobs at once in one runner process: its memory, its processor time, and how long it takes to end them all.

`python -m benchmarks.runner.live_jobs FOLDER JOBS ADDRESS` is the process that is measured; it prints what it found.
The connector server is a process of its own and is not counted: it asks about every job once in ten seconds, and the
runner watches them. The jobs belong to executions of a thousand each.
"""

import asyncio
import json
import os
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.runner.long_jobs import POLL, TASK_TYPE
from benchmarks.servers import cpu_seconds, resident_megabytes
from connectory import ConnectorTask, map_task, workflow
from connectory.client.connector import ConnectorClient
from connectory.compiler import compile_workflow
from connectory.connector.contract import Phase
from connectory.v1 import literals_pb2
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.connector import connector_plugin
from workflow_runner.plugins.patience import Patience
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

__all__ = ["WATCHED"]

EACH: Final = 1000
WATCHED: Final = 3 * POLL

job = ConnectorTask("job", TASK_TYPE, inputs={"number": int})


@workflow
def jobs(numbers: list[int]) -> None:
    """A job for each."""
    map_task(job)(number=numbers)


def _inputs(count: int) -> literals_pb2.LiteralMap:
    made = literals_pb2.LiteralMap()
    for number in range(count):
        made.literals["numbers"].collection.literals.add().scalar.primitive.integer = number
    return made


async def main(folder: Path, count: int, address: str) -> None:
    """Begin the jobs, watch them for a while, end them."""
    patience = Patience(growth=POLL / Patience.first_poll, slowest_poll=POLL)
    figures: dict[str, float] = {}
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(ConnectorClient(address))
        store = open_store(f"sqlite:///{folder / 'jobs.db'}")
        runner = await stack.enter_async_context(Runner(store, [connector_plugin([client], patience)]))
        figures["idle_mb"] = resident_megabytes(os.getpid())
        closure, begun = compile_workflow(jobs), time.perf_counter()
        executions = [await runner.start(closure, _inputs(EACH)) for _ in range(count // EACH)]
        while await _running(runner, executions) < count:  # noqa: ASYNC110 - watching would be measured as well
            await asyncio.sleep(1)
        figures["begun_s"] = time.perf_counter() - begun
        await asyncio.sleep(POLL)
        cpu, watched = cpu_seconds(os.getpid()), time.perf_counter()
        await asyncio.sleep(WATCHED)
        figures["cores"] = (cpu_seconds(os.getpid()) - cpu) / (time.perf_counter() - watched)
        figures["mb"] = resident_megabytes(os.getpid())
        aborting = time.perf_counter()
        results = await asyncio.gather(*(runner.abort(execution) for execution in executions))
        figures["abort_s"] = time.perf_counter() - aborting
        if any(result.phase is not ExecutionPhase.ABORTED for result in results):
            raise SystemExit(f"not all were aborted: {[result.phase for result in results]}")
    print(json.dumps(figures), flush=True)


async def _running(runner: Runner, executions: list[str]) -> int:
    views = [await runner.show(execution) for execution in executions]
    return sum(node.task_type == TASK_TYPE and node.job_phase is Phase.RUNNING for view in views for node in view.nodes)


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
