"""A plugin on a bench: its attempts are driven round by round, and its runner can be killed between any two calls."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from connectory.v1 import connector_pb2, literals_pb2, tasks_pb2
from workflow_runner.plugin_state import AttemptState
from workflow_runner.plugins.contract import (
    NotConfirmableError,
    Plugin,
    PluginEntry,
    SetupContext,
    TaskExecutionContext,
)
from workflow_runner.plugins.order import PhaseOrder
from workflow_runner.plugins.phases import PhaseInfo, Transition
from workflow_runner.plugins.registry import PluginRegistry
from workflow_runner.quotas import Scope
from workflow_runner.resources import AttemptResources
from workflow_runner.store.contract import PluginState

__all__ = ["BenchAttempt", "PluginBench", "PluginTask"]

_FIRST_WAIT = 0.005
_LONGEST_WAIT = 0.5


@dataclass(frozen=True, kw_only=True)
class PluginTask:
    """A task, and what it is given."""

    template: tasks_pb2.TaskTemplate
    inputs: literals_pb2.LiteralMap = field(default_factory=literals_pb2.LiteralMap)


class PluginBench:
    """A runner's place for one plugin. Use it as a context manager; `make_entry` gives a new entry each time."""

    def __init__(
        self, make_entry: Callable[[], PluginEntry], *, setup: SetupContext | None = None, output_prefix: str = ""
    ) -> None:
        self._make_entry = make_entry
        self._output_prefix = output_prefix
        self._states: dict[str, PluginState] = {}
        self.setup = setup or SetupContext()
        self._registry = PluginRegistry([make_entry()], self.setup)
        self._others: list[PluginRegistry] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *ended: object) -> None:
        for registry in (self._registry, *self._others):
            await registry.close()

    async def restart(self) -> None:
        """Have the runner end and start again: a new plugin, which knows only the state that was kept."""
        await self._registry.close()
        self._registry = PluginRegistry([self._make_entry()], self.setup)

    def hand_over(self) -> None:
        """Have another runner go on, while this one does other work: a new plugin, and the state that was kept."""
        self._others.append(self._registry)
        self._registry = PluginRegistry([self._make_entry()], self.setup)

    async def plugin(self, template: tasks_pb2.TaskTemplate) -> Plugin:
        """The plugin, loaded."""
        return await self._registry.get(template)

    def attempt(self, task: PluginTask, name: str = "n", *, number: int = 0, resumed: bool = False) -> "BenchAttempt":
        """An attempt, with the state that was kept of it; with `resumed` as a runner has it after a restart."""
        return BenchAttempt(self, task, name, number, resumed=resumed)

    def kept(self, key: str) -> PluginState | None:
        """What was kept of an attempt."""
        return self._states.get(key)

    async def put_plugin_state(self, execution_id: str, node: str, attempt: int, state: PluginState) -> None:
        """Keep what a plugin remembers, in place of a store."""
        self._states[f"{execution_id}/{node}/{attempt}"] = state

    @property
    def output_prefix(self) -> str:
        """Below which attempts write."""
        return self._output_prefix


class BenchAttempt:
    """One attempt on a bench. Its calls are those that a runner makes, one at a time."""

    def __init__(self, bench: PluginBench, task: PluginTask, name: str, number: int, *, resumed: bool) -> None:
        self._bench = bench
        self._order = PhaseOrder()
        self._wake = asyncio.Event()
        self.key = f"bench/{name}/{number}"
        self.last: PhaseInfo | None = None
        self._memory = AttemptState.of(bench, "bench", name, number, bench.kept(self.key))
        prefix = bench.output_prefix
        self._resources = AttemptResources(bench.setup.quotas, self._memory, self.key, Scope("p", "d"), self._wake.set)
        if resumed:
            self._resources.restore()
        self.ctx = TaskExecutionContext(
            execution="bench",
            node=name,
            attempt=number,
            key=self.key,
            template=task.template,
            inputs=task.inputs,
            describe=lambda: _metadata(task, name, number),
            output_prefix=f"{prefix}/bench/{name}/{number}" if prefix else "",
            resumed=resumed,
            state=self._memory,
            wake=self._wake.set,
            resource_manager=self._resources,
            setup=bench.setup,
        )

    async def handle(self, *, kept: bool = True) -> Transition:
        """One round. Not `kept`: the runner is killed before it has written down what the round remembered."""
        self._wake.clear()
        transition = await (await self._plugin()).handle(self.ctx)
        self._order.check(transition.info)
        self._resources.end_round()
        if kept:
            await self._memory.keep()
        self.last = transition.info
        return transition

    async def run(self) -> PhaseInfo:
        """Rounds until one reports the end."""
        wait = _FIRST_WAIT
        while True:
            transition = await self.handle()
            if transition.info.phase.is_terminal:
                return transition.info
            due = wait if transition.again_in is None else min(transition.again_in, _LONGEST_WAIT)
            wait = min(wait * 2, _LONGEST_WAIT)
            try:
                async with asyncio.timeout(due):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def abort(self) -> None:
        """Rounds of `abort` until one works, or says that none ever will."""
        wait = _FIRST_WAIT
        while True:
            try:
                await (await self._plugin()).abort(self.ctx)
            except NotConfirmableError:
                break
            except Exception:  # what a runner does about any of them is to ask again
                await self._memory.keep()
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
            else:
                break
        await self._memory.keep()

    async def let_go(self) -> None:
        """Leave the attempt to another runner."""
        await (await self._plugin()).let_go(self.ctx)

    async def finalize(self) -> None:
        """The last call, after which the attempt has no tokens any more."""
        await (await self._plugin()).finalize(self.ctx)
        self._resources.end()

    @property
    def outputs(self) -> literals_pb2.LiteralMap:
        """The outputs after a success."""
        assert self.last is not None, "it has not run"
        if self.last.outputs is not None:
            return self.last.outputs
        return literals_pb2.LiteralMap.FromString(self._memory.outputs or b"")

    async def _plugin(self) -> Plugin:
        return await self._bench.plugin(self.ctx.template)


def _metadata(task: PluginTask, name: str, number: int) -> connector_pb2.TaskExecutionMetadata:
    metadata = connector_pb2.TaskExecutionMetadata(max_attempts=1)
    identifier = metadata.task_execution_id
    identifier.task_id.CopyFrom(task.template.id)
    identifier.retry_attempt = number
    identifier.node_execution_id.node_id = name
    identifier.node_execution_id.execution_id.name = "bench"
    return metadata
