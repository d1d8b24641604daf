"""Conditions of many comparisons: what fits into a message is written, and what does not is refused by name."""

from collections.abc import Callable, Sequence
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory.authoring import conditional, task, workflow
from connectory.authoring.conditions import Comparison, Condition, Conjunction
from connectory.authoring.nesting import DEEPEST, within_depth
from connectory.authoring.workflow_base import WorkflowBase
from connectory.compiler import compile_workflow
from connectory.errors import AuthoringError
from connectory.v1 import control_pb2, workflow_pb2


@task
def told(x: int) -> int:
    return x


def row(comparisons: Sequence[Condition]) -> Condition:
    return reduce(lambda left, right: left & right, comparisons)


def turning(comparisons: Sequence[Condition]) -> Condition:
    joined = comparisons[0]
    for index, each in enumerate(comparisons[1:]):
        joined = joined & each if index % 2 else joined | each
    return joined


def choosing(join: Callable[[Sequence[Condition]], Condition], count: int) -> WorkflowBase:
    @workflow
    def chosen(x: int) -> int:
        condition = join([x != value for value in range(count)])  # type: ignore[misc]
        return conditional("many").if_(condition).then(told(x=x)).else_().then(told(x=-1))  # type: ignore[no-any-return]

    return chosen


def condition_of(compiled: workflow_pb2.CompiledWorkflowClosure) -> workflow_pb2.BooleanExpression:
    (branch,) = [each for each in compiled.primary.template.nodes if each.HasField("branch_node")]
    return branch.branch_node.if_else.case.condition


def depth(expression: workflow_pb2.BooleanExpression) -> int:
    if expression.HasField("comparison"):
        return 0
    joined = expression.conjunction
    return 1 + max(depth(joined.left_expression), depth(joined.right_expression))


def constants(expression: workflow_pb2.BooleanExpression) -> list[int]:
    if expression.HasField("comparison"):
        return [expression.comparison.right_value.primitive.integer]
    joined = expression.conjunction
    return constants(joined.left_expression) + constants(joined.right_expression)


def readable(compiled: workflow_pb2.CompiledWorkflowClosure) -> None:
    """In a list of workflows it is deepest."""
    listed = control_pb2.WorkflowList()
    listed.workflows.add().closure.compiled_workflow.CopyFrom(compiled)
    assert control_pb2.WorkflowList.FromString(listed.SerializeToString()) == listed


@pytest.mark.parametrize("count", [DEEPEST + 2, 60, 3000])
def test_many_comparisons_joined_by_one_sign_are_written_in_their_order(count: int) -> None:
    compiled = compile_workflow(choosing(row, count))
    readable(compiled)
    assert constants(condition_of(compiled)) == list(range(count))
    assert depth(condition_of(compiled)) < 13


@pytest.mark.parametrize(("value", "result"), [(59, -1), (0, -1), (60, 60)])
def test_they_mean_what_they_say(value: int, result: int) -> None:
    assert choosing(row, 60)(x=value) == result


def test_what_fits_is_written_as_it_is() -> None:
    for join in (row, turning):
        compiled = compile_workflow(choosing(join, DEEPEST + 1))
        readable(compiled)
        assert depth(condition_of(compiled)) == DEEPEST


def test_signs_that_take_turns_too_often_are_refused_by_name() -> None:
    with pytest.raises(AuthoringError) as refused:
        compile_workflow(choosing(turning, 60))
    said = str(refused.value)
    assert "the condition of if_ in conditional 'many' has 60 comparisons" in said
    assert "59 levels deep; 43 levels are possible" in said
    assert "in a task" in said
    with pytest.raises(AuthoringError, match="has 3000 comparisons"):
        compile_workflow(choosing(turning, 3000))


def test_a_choice_in_a_choice_has_room_for_them_too() -> None:
    @workflow
    def deep(x: int) -> int:
        long = row([x != value for value in range(DEEPEST)])  # type: ignore[misc]
        return (  # type: ignore[no-any-return]
            conditional("outer")
            .if_(long)
            .then(
                conditional("middle")
                .if_(long)
                .then(conditional("inner").if_(long).then(told(x=x)).else_().fail("no"))
                .else_()
                .fail("no")
            )
            .else_()
            .fail("no")
        )

    readable(compile_workflow(deep))


def holds(condition: Condition, values: Sequence[bool], seen: list[int]) -> bool:
    """As the engine decides it: from left to right, and no further than it must."""
    if isinstance(condition, Conjunction):
        left = holds(condition.left, values, seen)
        decided = left is (condition.operator == workflow_pb2.ConjunctionExpression.OR)
        return left if decided else holds(condition.right, values, seen)
    assert isinstance(condition, Comparison)
    seen.append(condition.left)
    return values[condition.left]


def conditions(numbers: range) -> st.SearchStrategy[Condition]:
    if len(numbers) == 1:
        return st.just(Comparison(numbers[0], workflow_pb2.ComparisonExpression.EQ, None))
    cuts = st.sampled_from([1, len(numbers) - 1])
    operators = st.sampled_from([*[workflow_pb2.ConjunctionExpression.AND] * 3, workflow_pb2.ConjunctionExpression.OR])
    return st.deferred(
        lambda: cuts.flatmap(
            lambda cut: st.builds(Conjunction, conditions(numbers[:cut]), operators, conditions(numbers[cut:]))
        )
    )


@settings(max_examples=60, deadline=None)
@given(condition=conditions(range(16)), values=st.lists(st.booleans(), min_size=16, max_size=16))
def test_what_is_written_otherwise_looks_at_the_same_comparisons(condition: Condition, values: list[bool]) -> None:
    try:
        other = within_depth(condition, "it", within=16)
    except AuthoringError:
        return
    looked: list[list[int]] = [[], []]
    assert holds(condition, values, looked[0]) == holds(other, values, looked[1])
    assert looked[0] == looked[1]
