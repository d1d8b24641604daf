"""References to what is registered elsewhere."""

from collections.abc import Callable
from typing import Any

import pytest

from connectory.authoring import (
    ReferenceTask,
    reference_launch_plan,
    reference_task,
    reference_workflow,
    task,
    workflow,
)
from connectory.compiler import check, compile_workflow
from connectory.errors import AuthoringError
from connectory.v1 import identifiers_pb2

WHERE = {"project": "p", "domain": "d", "version": "v"}


@reference_task(name="their.task", **WHERE)
def their_task(a: int, b: str = "b") -> str: ...  # type: ignore[empty-body]


@reference_workflow(name="their.workflow", **WHERE)
def their_workflow(text: str) -> tuple[int, str]: ...  # type: ignore[empty-body]


@reference_launch_plan(name="their.plan", **WHERE)
def their_plan(a: int) -> int: ...  # type: ignore[empty-body]


@task
def double(a: int) -> int:
    return 2 * a


@workflow
def flow(a: int) -> int:
    number, _ = their_workflow(text=their_task(a=a))
    return double(a=their_plan(a=number))


def test_nodes_name_what_is_registered() -> None:
    closure = compile_workflow(flow)
    first, second, third, _ = closure.primary.template.nodes
    assert first.task_node.reference_id.name == "their.task"
    assert second.workflow_node.sub_workflow_ref == identifiers_pb2.Identifier(
        resource_type=identifiers_pb2.WORKFLOW, name="their.workflow", **WHERE
    )
    assert third.workflow_node.launchplan_ref.version == "v"
    assert [task.template.id.name.rpartition(".")[2] for task in closure.tasks] == ["double"]


def test_a_bare_closure_tells_what_is_missing() -> None:
    problems = check(compile_workflow(flow))
    assert {problem.message.split("'")[1] for problem in problems} == {"their.task", "their.workflow", "their.plan"}


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (lambda: their_task(a="x"), "input 'a' of reference to 'their.task'"),
        (lambda: their_task(a=1), "only a reference to what is registered elsewhere"),
        (lambda: reference_task("p", "d", "", "v")(double.task_function), "needs a name"),
        (lambda: ReferenceTask("p", "d", "n", "v", {"a": object()}, {}), "cannot cross between tasks"),
        (lambda: reference_task("p", "d", "n", "v")(lambda a: a), "has no type"),
    ],
)
def test_mistakes(use: Callable[[], Any], said: str) -> None:
    with pytest.raises(AuthoringError) as caught:
        use()
    assert said in caught.value.message


def test_types_are_checked_where_it_is_called() -> None:
    def body(text: str) -> str:
        return their_task(a=text)

    with pytest.raises(AuthoringError, match="takes int, but is given input 'text'"):
        _ = workflow(body).graph
