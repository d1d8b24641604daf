"""Bare closures with choices, gates, arrays, launch plans and failure nodes that cannot work."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from connectory.authoring import LaunchPlan, approve, conditional, map_task, task, wait_for_input, workflow
from connectory.compiler import check, compile_workflow
from connectory.v1 import workflow_pb2

Closure = workflow_pb2.CompiledWorkflowClosure


@task
def double(a: int) -> int:
    return 2 * a


@task
def clean_up(a: int) -> None: ...


@workflow
def inner(a: int) -> int:
    return double(a=a)


plan = LaunchPlan.create("test_constructs.plan", inner)


@workflow(on_failure=clean_up)
def everything(a: int) -> list[int]:
    first = double(a=a)
    chosen = conditional("c").if_(first > 1).then(double(a=first)).else_().then(plan(a=1))
    allowed = approve(chosen, "go", timedelta(hours=1))
    given = wait_for_input("number", timedelta(hours=1), int)
    return map_task(plan)(a=[allowed, given])


def _no_task(closure: Closure) -> None:
    for position, compiled in reversed(list(enumerate(closure.tasks))):
        if compiled.template.id.name.endswith("double"):
            del closure.tasks[position]


def _no_plan(closure: Closure) -> None:
    del closure.launch_plans[:]


def _case_without_input(closure: Closure) -> None:
    del closure.primary.template.nodes[1].branch_node.if_else.case.then_node.inputs[:]


def _condition_of_nothing(closure: Closure) -> None:
    closure.primary.template.nodes[1].inputs[0].binding.promise.node_id = "n77"


def _case_after_nothing(closure: Closure) -> None:
    closure.primary.template.nodes[1].branch_node.if_else.case.then_node.upstream_node_ids.append("n77")


def _case_that_waits_for_its_follower(closure: Closure) -> None:
    closure.primary.template.nodes[1].branch_node.if_else.case.then_node.upstream_node_ids.append("n2")


def _gate_of_nothing(closure: Closure) -> None:
    closure.primary.template.nodes[2].inputs[0].binding.promise.var = "o9"


def _failure_node_without_input(closure: Closure) -> None:
    del closure.primary.template.failure_node.inputs[:]


def _item_instead_of_list(closure: Closure) -> None:
    closure.primary.template.nodes[4].inputs[0].binding.scalar.primitive.integer = 1


def test_a_sound_one() -> None:
    closure = compile_workflow(everything)
    assert check(closure) == []
    assert [each.template.id.name for each in closure.launch_plans] == ["test_constructs.plan"]
    assert list(closure.primary.connections.upstream["n1"].ids) == ["n0"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_no_task, "double', which is not part of the closure"),
        (_no_plan, "calls 'test_constructs.plan', which is not part of the closure"),
        (_case_without_input, "input 'a' is missing; it takes int"),
        (_condition_of_nothing, "takes 'o0' of the node 'n77', which does not exist"),
        (_case_after_nothing, "waits for the node 'n77', which does not exist"),
        (_case_that_waits_for_its_follower, "waits for itself"),
        (_gate_of_nothing, "takes 'o9' of the node 'n1', which has none such"),
        (_failure_node_without_input, "node 'fn0': input 'a' is missing"),
        (_item_instead_of_list, "node 'n4': input 'a'"),
    ],
)
def test_what_cannot_work(spoil: Callable[[Closure], None], said: str) -> None:
    closure = compile_workflow(everything)
    spoil(closure)
    problems = [str(problem) for problem in check(closure)]
    assert any(said in problem for problem in problems), problems
