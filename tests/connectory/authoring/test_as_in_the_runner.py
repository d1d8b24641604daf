"""What a workflow does in plain Python, it does in the runner: the result, or the failure, and what was done."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectory.authoring.conversion import conversion_context, type_registry
from connectory.authoring.errors import failure_message
from connectory.authoring.plain_settings import plain_calls
from connectory.authoring.workflow_base import WorkflowBase
from tests.connectory.authoring import runner_parity as flows
from workflow_runner.bundles import bundle
from workflow_runner.engine.settings import Backoff, ExecutionSettings
from workflow_runner.plugins.python_task import python_task_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

CASES: list[tuple[WorkflowBase, dict[str, Any]]] = [
    (flows.retried, {"a": 3}),
    (flows.given_up, {"a": 3}),
    (flows.not_worth_it, {"a": 3}),
    (flows.never_again, {"a": 3}),
    (flows.more_often, {"a": 4}),
    (flows.more_often, {"a": 5}),
    (flows.remembered, {"a": 2}),
    (flows.remembered, {"a": 3}),
    (flows.chosen, {"a": 11}),
    (flows.chosen, {"a": 6}),
    (flows.chosen, {"a": 1}),
    (flows.cleaned_up, {"a": 2}),
    (flows.cleaned_up_badly, {"a": 2}),
    (flows.finished_first, {"a": 2}),
    (flows.mapped, {"values": [1, 2, 3, 5, 7]}),
    (flows.mapped, {"values": [5, 7, 9, 2]}),
    (flows.mapped_all, {"values": [1, 2, 3]}),
    (flows.mapped_all, {"values": [2, 5]}),
    (flows.at_run_time, {"a": 3}),
    (flows.at_run_time, {"a": 0}),
    (flows.failing_at_run_time, {"a": 3}),
    (flows.wired_at_last, {"a": 3}),
    (flows.decided, {"a": 3}),
    (flows.planned, {}),
    (flows.kept, {"a": 3}),
    (flows.kept_when_it_works, {"a": 3}),
    (flows.kept_for_members, {"values": [20, 30]}),
    (flows.ignored, {"a": 1}),
]


def _plainly(flow: WorkflowBase, inputs: dict[str, Any]) -> Any:
    """The output, or what the failure says."""
    try:
        with plain_calls(max_parallelism=1, retry_wait=0):
            return flow(**inputs)  # type: ignore[operator]
    except Exception as error:
        return Failed(failure_message(error), code=getattr(error, "code", type(error).__name__))


async def _in_the_runner(flow: WorkflowBase, inputs: dict[str, Any], prefix: str) -> Any:
    declared, annotations = flow.typed_interface, flow.interface
    literals = type_registry().map_to_literals(inputs, declared.inputs, conversion_context(), annotations.inputs)
    settings = ExecutionSettings(max_parallelism=1, backoff=Backoff(base=0.0), output_prefix=prefix)
    bundled = bundle(flow)
    async with Runner(open_store("memory://"), [python_task_plugin("thread")]) as runner:
        started = await runner.start(bundled.closure, literals, settings=settings, launch_plans=bundled.launch_plans)
        result = await runner.wait(started)
    if result.error is not None:
        return Failed(result.error.message, code=result.error.code)
    assert result.outputs is not None
    values = type_registry().map_to_python(result.outputs, declared.outputs, conversion_context(), annotations.outputs)
    return next(iter(values.values()))


@dataclass
class Failed:
    """What a failure says, without the traceback of what code raised, and without what is said before that."""

    message: str
    code: str

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Failed):
            return NotImplemented
        return self.code == other.code and other.message.splitlines()[0].endswith(self.message.splitlines()[0])


@pytest.mark.parametrize(("flow", "inputs"), CASES, ids=[f"{flow.short_name} {inputs}" for flow, inputs in CASES])
async def test_the_outcome_is_the_same(flow: WorkflowBase, inputs: dict[str, Any], tmp_path: Path) -> None:
    flows.DONE.clear()
    here, done_here = _plainly(flow, inputs), list(flows.DONE)
    flows.DONE.clear()
    there = await _in_the_runner(flow, inputs, str(tmp_path))
    assert here == there
    assert sorted(done_here) == sorted(flows.DONE)  # nodes that do not need each other may change places
