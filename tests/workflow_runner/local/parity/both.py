"""Runs a workflow in plain Python and in the runner, and tells what came out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectory.authoring import LaunchPlan, gate_answers, plain_calls
from connectory.authoring.conversion import conversion_context, type_registry
from connectory.authoring.errors import failure_message
from connectory.authoring.workflow_base import WorkflowBase
from tests.workflow_runner.plugins.service import QUICK, connector_service
from workflow_runner.bundles import bundle
from workflow_runner.engine.settings import Backoff, ExecutionSettings
from workflow_runner.plugins.connector import connector_plugin
from workflow_runner.plugins.python_task import Executor, python_task_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store
from workflow_runner.views import ExecutionResult

__all__ = ["Case", "Failed", "in_the_runner", "plainly"]


@dataclass(kw_only=True)
class Case:
    """One call of a workflow."""

    flow: WorkflowBase
    inputs: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    """What gates are answered."""
    executor: Executor = "thread"
    """Where the runner runs the code: a thread cannot be ended, a process can."""
    at_once: int = 1
    anew: bool = False
    """Whether results are worked out though they are kept."""
    look: Callable[[Any], Any] = list
    """What of the outputs is compared: they are given as a list."""

    def __str__(self) -> str:
        words = [
            "anew" if self.anew else "",
            self.flow.short_name,
            *map(str, self.inputs.values()),
            *map(str, self.answers.values()),
        ]
        return " ".join(words).strip()


@dataclass
class Failed:
    """What a failure says, without the traceback of what code raised, and without what one of both says before that."""

    message: str
    code: str

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Failed):
            return NotImplemented
        mine, its = self.message.partition("\n")[0], other.message.partition("\n")[0]
        return self.code == other.code and (mine.endswith(its) or its.endswith(mine))


def plainly(case: Case) -> Any:
    """What the outputs look like, or the failure."""
    outputs = case.flow.interface.outputs
    try:
        with plain_calls(max_parallelism=case.at_once, retry_wait=0), gate_answers(case.answers):
            called = (
                LaunchPlan.get_or_create(case.flow, "parity_anew", overwrite_cache=True) if case.anew else case.flow
            )
            result = called(**case.inputs)  # type: ignore[operator]
    except Exception as error:
        return Failed(failure_message(error), code=getattr(error, "code", type(error).__name__))
    return case.look([] if not outputs else [result] if len(outputs) == 1 else list(result))


async def in_the_runner(case: Case, folder: Path) -> Any:
    """The same from the runner, whose store is a database in this folder."""
    flow = case.flow
    declared, annotations = flow.typed_interface, flow.interface
    result = await _run(case, folder)
    if result.error is not None:
        return Failed(result.error.message, code=result.error.code)
    assert result.outputs is not None
    values = type_registry().map_to_python(result.outputs, declared.outputs, conversion_context(), annotations.outputs)
    return case.look([values[name] for name in annotations.outputs])


async def _run(case: Case, folder: Path) -> ExecutionResult:
    declared, annotations = case.flow.typed_interface, case.flow.interface
    inputs = type_registry().map_to_literals(case.inputs, declared.inputs, conversion_context(), annotations.inputs)
    settings = ExecutionSettings(
        max_parallelism=case.at_once,
        overwrite_cache=case.anew,
        backoff=Backoff(base=0.0),
        output_prefix=str(folder / "data"),
    )
    bundled = bundle(case.flow)
    async with connector_service() as clients:
        plugins = [python_task_plugin(case.executor), connector_plugin(clients, QUICK)]
        async with Runner(open_store(f"sqlite:///{folder / 'store.db'}"), plugins) as runner:
            started = await runner.start(bundled.closure, inputs, settings=settings, launch_plans=bundled.launch_plans)
            for name, answer in case.answers.items():
                kind = type_registry().literal_type(type(answer))
                literal = type_registry().to_literal(answer, kind, conversion_context(), annotation=type(answer))
                await runner.signal(started, name, literal)
            return await runner.wait(started)
