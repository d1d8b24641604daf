"""What the document on core concepts shows, works."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from connectory.authoring import LaunchPlan
from connectory.compiler import check, compile_launch_plan, compile_task, compile_workflow
from tests.seeds import branching, eager, greeting, node_overrides, parameters, scheduled, task_metadata


def _node(workflow: Any, number: int = 0) -> Any:
    closure = compile_workflow(workflow)
    assert check(closure) == []
    return closure.primary.template.nodes[number]


def test_metadata_of_a_task() -> None:
    message = task_metadata.my_task_metadata.to_proto()
    assert (message.discoverable, message.discovery_version) == (True, "v1.0")
    assert message.retries.retries == 3
    assert message.timeout.ToTimedelta() == timedelta(minutes=10)
    assert message.interruptible
    assert message.generates_deck.value


def test_a_task_with_metadata() -> None:
    assert task_metadata.my_task(name="Ada") == "Hello, Ada!"
    assert compile_task(task_metadata.my_task).metadata == task_metadata.my_task_metadata.to_proto()


def test_an_eager_task_drives_others() -> None:
    assert eager.my_eager_workflow(input_val=3) == 12
    assert compile_task(eager.eager_workflow_task).metadata.is_eager
    assert _node(eager.my_eager_workflow).task_node.reference_id.name == eager.eager_workflow_task.name


def test_a_workflow_of_two_tasks() -> None:
    assert greeting.greeting_workflow(name_input="Ada") == "HELLO, ADA!"
    assert _node(greeting.greeting_workflow, 1).upstream_node_ids == ["n0"]


def test_the_same_workflow_built_by_calls() -> None:
    assert greeting.wb(name_input="Ada") == "HELLO, ADA!"
    closure = compile_workflow(greeting.wb)
    assert check(closure) == []
    assert closure.primary.template.id.name == "my_imperative_workflow"
    assert list(closure.primary.template.interface.outputs.variables) == ["final_greeting"]


def test_overrides_of_a_node() -> None:
    assert node_overrides.my_workflow_with_overrides(x=1) == 2
    node = _node(node_overrides.my_workflow_with_overrides)
    assert node.id == "custom-node-name"
    assert node.metadata.timeout.ToTimedelta() == timedelta(minutes=5)
    assert node.metadata.retries.retries == 1
    assert node.metadata.cacheable
    assert node.metadata.cache_version == "v2"
    assert {entry.value for entry in node.task_node.overrides.resources.limits} == {"2", "4Gi"}


@pytest.mark.parametrize(
    ("value", "said"), [(11, "Task A processed 11"), (4, "Task B processed 4"), (7, "Task A processed 0")]
)
def test_only_the_branch_that_is_taken_runs(value: int, said: str) -> None:
    assert branching.conditional_workflow(value=value) == said
    assert _node(branching.conditional_workflow).HasField("branch_node")


def test_a_scheduled_launch_plan() -> None:
    plan = compile_launch_plan(scheduled.daily_lp)
    assert plan.id.name == "daily_report_lp"
    assert "0 10 * * *" in str(plan.spec.entity_metadata.schedule)
    default = plan.spec.default_inputs.parameters["start_date"].default
    assert default.scalar.primitive.string_value == "2023-01-01"
    assert scheduled.my_daily_report_workflow(start_date="2030-01-01") == "Report generated"
    assert LaunchPlan.get_or_create(workflow=scheduled.my_daily_report_workflow).name.endswith("report_workflow")


def test_a_task_asks_for_its_surroundings(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        parameters.my_context_aware_task()
    assert f"Task {parameters.my_context_aware_task.name} running in execution local" in caplog.text
