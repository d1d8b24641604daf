"""A runner whose plugin counts its rounds in its state; the tests kill it between two of them."""

import asyncio
import sys
from dataclasses import dataclass

from tests.workflow_runner.workflows import closure, node, task, workflow
from workflow_runner.plugins.contract import Plugin, PluginEntry, TaskExecutionContext
from workflow_runner.plugins.phases import PhaseInfo, Transition, do_transition
from workflow_runner.runner import Runner
from workflow_runner.store.contract import UnknownExecutionError
from workflow_runner.store.opening import open_store

LAST = 10**9


@dataclass
class Count:
    rounds: int


class Counting(Plugin):
    def __init__(self, enough: int) -> None:
        self.enough = enough

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        state = ctx.plugin_state_reader.get(Count) or Count(0)
        print(state.rounds, ctx.plugin_state_reader.state_version, flush=True)
        if state.rounds >= self.enough:
            return do_transition(PhaseInfo.success())
        ctx.plugin_state_writer.put(state.rounds + 1, Count(state.rounds + 1))
        return do_transition(PhaseInfo.running(version=state.rounds), again_in=0)


async def main(url: str, enough: int) -> None:
    template = task("t")
    entry = PluginEntry(id="counting", registered_task_types=("fake",), load_plugin=lambda setup: Counting(enough))
    async with Runner(open_store(url), [entry]) as runner:
        try:
            await runner.resume("counted")
        except UnknownExecutionError:
            await runner.start(closure(workflow("w", [node("n", template)]), [template]), execution_id="counted")
        print((await runner.wait("counted")).phase, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
