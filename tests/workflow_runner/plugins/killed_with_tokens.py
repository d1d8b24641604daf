"""A runner whose attempts need one of three tokens for something outside, which goes on when the runner is killed.

What happens outside is a line in a log: `begin KEY`, `end KEY`, each written once.
"""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.workflow_runner.workflows import closure, node, task, workflow
from workflow_runner.plugins.contract import Plugin, PluginEntry, SetupContext, TaskExecutionContext
from workflow_runner.plugins.phases import PhaseInfo, Transition, do_transition
from workflow_runner.plugins.resources import AllocationStatus
from workflow_runner.runner import Runner
from workflow_runner.store.contract import UnknownExecutionError
from workflow_runner.store.opening import open_store

QUOTA = 3
TASKS = 40
ROUNDS = 5
EXECUTION = "tokens"


@dataclass
class Work:
    rounds: int


class Outside:
    """The log."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)
        self._said = set(path.read_text().splitlines())

    def say(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self._file.write(f"{line}\n")


class Working(Plugin):
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        work = ctx.plugin_state_reader.get(Work)
        if await ctx.resource_manager.allocate_resource("outside") is not AllocationStatus.GRANTED:
            return do_transition(PhaseInfo.waiting_for_resources("waits"))
        if work is not None and work.rounds == ROUNDS:
            self.outside.say(f"end {ctx.node}")
            return do_transition(PhaseInfo.success())
        self.outside.say(f"begin {ctx.node}")
        ctx.plugin_state_writer.put(1, Work(work.rounds + 1 if work is not None else 1))
        return do_transition(PhaseInfo.running(), again_in=0.005)


async def main(folder: Path) -> None:
    def load(setup: SetupContext) -> Plugin:
        setup.resource_registrar.register_resource_quota("outside", QUOTA)
        return Working(Outside(folder / "log"))

    template = task("t")
    entry = PluginEntry(id="working", registered_task_types=["fake"], load_plugin=load)
    async with Runner(open_store(f"sqlite:///{folder}/runs.db"), [entry]) as runner:
        print("up", flush=True)
        try:
            await runner.resume(EXECUTION)
        except UnknownExecutionError:
            nodes = [node(f"n{index}", template) for index in range(TASKS)]
            await runner.start(closure(workflow("w", nodes), [template]), execution_id=EXECUTION)
        print((await runner.wait(EXECUTION)).phase, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
