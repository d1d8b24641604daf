"""The sleep plugin of the core plugin architecture's document, in Python line by line."""

import time
from datetime import timedelta

from connectory.v1 import literals_pb2, types_pb2
from tests.workflow_runner.workflows import closure, constant, node, task, workflow
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.contract import (
    Plugin,
    PluginEntry,
    PluginProperties,
    SetupContext,
    TaskExecutionContext,
)
from workflow_runner.plugins.phases import DEFAULT_PHASE_VERSION, PhaseInfo, Transition, do_transition
from workflow_runner.plugins.registry import PluginRegistry
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

DURATION = types_pb2.LiteralType(simple=types_pb2.DURATION)


class SleepPlugin(Plugin):
    def __init__(self, task_start_times: dict[str, float]) -> None:
        self.task_start_times = task_start_times

    @property
    def properties(self) -> PluginProperties:
        return PluginProperties()

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        inputs = await ctx.input_reader.get()
        sleep_duration = inputs.literals["duration"].scalar.primitive.duration.ToTimedelta().total_seconds()
        start_time = self.task_start_times.setdefault(ctx.execution_metadata.unique_id, time.monotonic())
        if time.monotonic() - start_time >= sleep_duration:
            return do_transition(PhaseInfo.success(None))
        return do_transition(PhaseInfo.running(version=DEFAULT_PHASE_VERSION))

    async def abort(self, ctx: TaskExecutionContext) -> None:
        return

    async def finalize(self, ctx: TaskExecutionContext) -> None:
        self.task_start_times.pop(ctx.execution_metadata.unique_id, None)


async def load_plugin(setup: SetupContext) -> Plugin:
    return SleepPlugin(task_start_times={})


ENTRY = PluginEntry(
    id="sleep",
    registered_task_types=["sleep"],
    load_plugin=load_plugin,
    is_default=False,
)


def nap(seconds: float) -> literals_pb2.Literal:
    literal = literals_pb2.Literal()
    literal.scalar.primitive.duration.FromTimedelta(timedelta(seconds=seconds))
    return literal


async def test_it_sleeps_as_long_as_it_is_told() -> None:
    template = task("nap", "sleep", inputs={"duration": DURATION})
    sleeping = closure(workflow("w", [node("n", template, {"duration": constant(nap(0.1))})]), [template])
    async with Runner(open_store("memory://"), [ENTRY]) as runner:
        execution = await runner.start(sleeping)
        result = await runner.wait(execution)
        (shown,) = (await runner.show(execution)).nodes
    assert result.phase is ExecutionPhase.SUCCEEDED, result.error
    assert shown.started is not None
    assert shown.ended is not None
    assert (shown.ended - shown.started).total_seconds() >= 0.1


async def test_it_is_registered_as_the_document_does() -> None:
    registry = PluginRegistry()
    registry.register_core_plugin(ENTRY)
    assert isinstance(await registry.get(task("nap", "sleep")), SleepPlugin)
