"""A plugin whose attempts do what a test says."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from connectory.v1 import literals_pb2
from tests.workflow_runner.workflows import integer
from workflow_runner.plugins.contract import Plugin, PluginEntry, TaskExecutionContext
from workflow_runner.plugins.phases import PhaseInfo, Transition, do_transition


@dataclass
class Remembered:
    rounds: int


class FakePlugin(Plugin):
    """Each attempt of a node answers with the next entry of `script[node]`; without one it adds its integers up.

    An entry is a PhaseInfo, or "hold": then the attempt runs until `release(node)` or until it is aborted.
    """

    def __init__(self, script: dict[str, list[object]] | None = None) -> None:
        self.script = script or {}
        self.calls: list[tuple[str, str, int]] = []
        self.live: set[str] = set()
        self.most_live = 0
        self.rounds: dict[str, list[int]] = defaultdict(list)
        self.released: set[str] = set()
        self.holding = asyncio.Event()
        self.abort_failures = 0
        self._wakes: dict[str, Callable[[], None]] = {}

    def entry(self) -> PluginEntry:
        return PluginEntry(id="fake", registered_task_types=("fake",), load_plugin=lambda setup: self)

    def release(self, node: str) -> None:
        self.released.add(node)
        if node in self._wakes:
            self._wakes[node]()

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        known = ctx.state.read(Remembered)
        if known is None:
            self.calls.append(("start", ctx.node, ctx.attempt))
        rounds = known.rounds if known is not None else 0
        self.rounds[ctx.key].append(rounds)
        self.live.add(ctx.key)
        self.most_live = max(self.most_live, len(self.live))
        steps = self.script.get(ctx.node, [])
        step = steps[ctx.attempt] if ctx.attempt < len(steps) else None
        if step == "hold" and ctx.node not in self.released:
            ctx.state.write(Remembered(rounds + 1))
            self._wakes[ctx.node] = ctx.wake
            self.holding.set()
            return do_transition(PhaseInfo.running(f"holding {ctx.node}"), again_in=60)
        if isinstance(step, PhaseInfo):
            if not step.live:
                self.live.discard(ctx.key)
            return do_transition(step)
        if rounds == 0:
            ctx.state.write(Remembered(1))
            return do_transition(PhaseInfo.running(), again_in=0)
        self.live.discard(ctx.key)
        return do_transition(PhaseInfo.success(added(ctx.inputs)))

    async def abort(self, ctx: TaskExecutionContext) -> None:
        self.calls.append(("abort", ctx.node, ctx.attempt))
        if self.abort_failures:
            self.abort_failures -= 1
            raise ConnectionError("the outside does not answer")
        self.live.discard(ctx.key)

    async def finalize(self, ctx: TaskExecutionContext) -> None:
        self.calls.append(("finalize", ctx.node, ctx.attempt))


class CountingPlugin(FakePlugin):
    """Each attempt says how often it was asked, until it was asked often enough."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.count = 0

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        if self.count == self.limit:
            return do_transition(PhaseInfo.success(added(ctx.inputs)))
        self.count += 1
        return do_transition(PhaseInfo.running(f"{self.count - 1} of {self.limit}"), again_in=0)


def added(inputs: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
    total = 0
    for literal in inputs.literals.values():
        items = literal.collection.literals if literal.HasField("collection") else [literal]
        total += sum(item.scalar.primitive.integer for item in items)
    return literals_pb2.LiteralMap(literals={"o": integer(total)})
