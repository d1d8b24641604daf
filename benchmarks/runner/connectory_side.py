"""The runner's own side: SQLite in a file (WAL, synchronous=FULL), Python tasks in processes or in threads.

Processes are what `connectory run` takes unless it is told otherwise. Compiling is not part of it. The garbage
collector is set as the command sets it.
"""

import asyncio
import sys
from typing import get_args

import uvloop

from benchmarks.runner.passes import answer, folder
from benchmarks.runner.programs import chain, fan_out
from connectory.authoring import Workflow
from connectory.compiler import compile_workflow
from connectory.garbage import spare_what_is_loaded
from workflow_runner.plugins.python_task import Executor, python_task_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store


def main(executor: Executor) -> None:
    """Measure with this executor."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        runner = Runner(open_store(f"sqlite:///{folder() / 'store.db'}"), [python_task_plugin(executor)])
        loop.run(runner.__aenter__())
        closures = {made.name: compile_workflow(made) for made in (chain, fan_out)}

        async def run(workflow: Workflow) -> int:
            result = await runner.wait(await runner.start(closures[workflow.name]))
            if result.outputs is None:
                raise SystemExit(f"the workflow ended in {result.phase}: {result.error}")
            return result.outputs.literals["o0"].scalar.primitive.integer

        spare_what_is_loaded()
        answer(chain=lambda: loop.run(run(chain)), fan_out=lambda: loop.run(run(fan_out)))
        loop.run(runner.__aexit__(None, None, None))


if __name__ == "__main__":
    main(next(each for each in get_args(Executor) if each == sys.argv[2]))
