"""Workflows that are put together step by step."""

from collections.abc import Callable
from typing import Any

import pytest

from connectory.authoring import (
    LaunchPlan,
    Workflow,
    WorkflowFailurePolicy,
    conditional,
    find_workflow,
    load_module,
    task,
    workflow,
)
from connectory.compiler import check, compile_workflow
from connectory.errors import AuthoringError, ExecutionError

HANDLED: list[int] = []


@task
def double(a: int) -> int:
    return 2 * a


@task
def total(values: list[int]) -> int:
    return sum(values)


@task
def fails(a: int) -> int:
    raise ValueError("no")


@task
def clean_up(a: int) -> None:
    HANDLED.append(a)


@task
def stranger(text: str) -> None: ...


@workflow
def inner(a: int) -> int:
    return double(a=a)


def build() -> Workflow:
    made = Workflow(name="imperative.all")
    a = made.add_workflow_input("a", int)
    first = made.add_entity(double, a=made.inputs["a"])
    second = made.add_subwf(inner, a=first.outputs["o0"])
    third = made.add_launch_plan(LaunchPlan.get_or_create(inner), a=a)
    sums = made.add_task(total, values=[a, second.o0, third.o0, 1])
    made.add_workflow_output("sum", sums.outputs["o0"])
    made.add_workflow_output("both", [first.o0, third.o0], python_type=list[int])
    return made


def test_what_is_added_after_a_call_counts_for_the_next_one() -> None:
    made = Workflow(name="imperative.grows")
    made.add_workflow_output("b", made.add_entity(double, a=made.add_workflow_input("a", int)).o0)

    @workflow
    def before() -> int:
        return made(a=1)

    assert before() == 2
    made.add_workflow_output("c", made.add_entity(inner, a=made.add_workflow_input("more", int)).o0)

    @workflow
    def after() -> int:
        return made(a=1, more=5).c

    assert after() == 10


def test_it_runs_compiles_and_can_be_called_by_others() -> None:
    made = build()
    result = made(a=1)
    assert (result.sum, result.both) == (8, [2, 2])
    closure = compile_workflow(made)
    assert check(closure) == []
    assert closure.primary.template.id.name == "imperative.all"

    @workflow
    def outer(a: int) -> int:
        return double(a=made(a=a).sum)

    assert outer(a=1) == 16


def test_it_can_be_added_to_after_it_was_compiled() -> None:
    made = Workflow("imperative.grows", WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE, True)
    assert not made.ready()
    node = made.add_entity(double, a=3).with_overrides(node_name="renamed")
    compile_workflow(made)
    later = made.add_entity(double, a=node.o0)
    made.add_workflow_output("result", later.o0)
    template = compile_workflow(made).primary.template
    assert made.ready()
    assert [each.id for each in template.nodes] == ["renamed", "n1"]
    assert template.nodes[1].inputs[0].binding.promise.node_id == "renamed"
    assert template.metadata_defaults.interruptible
    assert made() == 12


def test_the_failure_handler_runs_and_the_error_comes_out() -> None:
    HANDLED.clear()
    made = Workflow("imperative.fails")
    a = made.add_workflow_input("a", int)
    made.add_entity(fails, a=a)
    made.add_on_failure_handler(clean_up)
    with pytest.raises(ValueError, match="no"):
        made(a=7)
    assert HANDLED == [7]
    assert compile_workflow(made).primary.template.failure_node.id == "efn"


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (lambda made: made.add_workflow_input("a", int), "has an input 'a' already"),
        (lambda made: made.add_workflow_input("b", object()), "cannot cross between tasks"),
        (lambda made: made.add_workflow_output("sum", made.nodes[0].o0), "has an output 'sum' already"),
        (lambda made: made.add_workflow_output("x", [made.nodes[0].o0]), "give its python_type"),
        (lambda made: made.add_workflow_output("x", made.nodes[0].o0, python_type=str), "takes str"),
        (lambda made: made.add_entity(5), "add tasks, workflows and launch plans"),
        (lambda made: made.add_entity(double, b=1), "has no input 'b'"),
        (lambda made: made.add_entity(double, a=build().inputs["a"]), "belongs to another workflow"),
        (lambda made: made.add_on_failure_handler(stranger), "must take its input 'a: int'"),
        (lambda made: made.add_on_failure_handler(5), "give a task or a workflow"),
        (lambda made: Workflow(name=""), "is called by a name"),
    ],
)
def test_mistakes(use: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(AuthoringError) as caught:
        use(build())
    assert said in caught.value.message
    assert list(build().interface.inputs) == ["a"]


def test_it_is_found_in_a_file(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "imperative_file.py"
    file.write_text(
        "from connectory.authoring import Workflow\nwb = Workflow('some.name')\nwb.add_workflow_input('a', int)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    module = load_module(file)
    assert find_workflow(module) is module.wb
    assert find_workflow(module, "wb") is module.wb


def test_a_choice() -> None:
    chosen = Workflow(name="choosing.step.by.step")
    a = chosen.add_workflow_input("a", int)
    first = chosen.add_entity(double, a=a)
    result = (
        chosen.create_conditional("size")
        .if_(first.o0 > 10)
        .then(chosen.add_entity(double, a=first.o0))
        .elif_(a < 0)
        .then(chosen.add_entity(double, a=a))
        .else_()
        .fail("neither large nor small")
    )
    last = chosen.add_entity(double, a=result)
    chosen.add_workflow_output("o0", last.o0)

    @workflow
    def by_function(a: int) -> int:
        first = double(a=a)
        result = (
            conditional("size")
            .if_(first > 10)
            .then(double(a=first))
            .elif_(a < 0)
            .then(double(a=a))
            .else_()
            .fail("neither large nor small")
        )
        return double(a=result)

    assert (chosen(a=6), chosen(a=-1)) == (48, -4)
    with pytest.raises(ExecutionError, match="neither large nor small"):
        chosen(a=1)
    ours, theirs = (compile_workflow(wf, version="1").primary.template for wf in (chosen, by_function))
    assert list(ours.nodes) == list(theirs.nodes)
    assert list(ours.outputs) == list(theirs.outputs)


def test_a_choice_takes_nodes_of_the_workflow() -> None:
    unfinished = Workflow(name="unfinished")
    a = unfinished.add_workflow_input("a", int)
    begun = unfinished.create_conditional("size").if_(a > 1)
    with pytest.raises(AuthoringError, match="outside of its workflow"):
        begun.then(double(a=a))
    with pytest.raises(AuthoringError, match="conditional 'size' of workflow 'unfinished' has no end"):
        compile_workflow(unfinished)
