"""Map tasks in plain Python, and what their containers are told."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory.authoring import ConnectorTask, LaunchPlan, dynamic, execute_task, locator_of, map_task, task, workflow
from connectory.compiler import compile_workflow
from connectory.errors import AuthoringError, ExecutionError
from connectory.types import ConversionContext, default_types
from connectory.v1 import literals_pb2


@task
def double(a: int) -> int:
    return 2 * a


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def positive(a: int) -> int:
    if a < 0:
        raise ValueError(f"{a} is negative")
    return a


@task
def say(text: str) -> None: ...


@task
def split(a: int) -> tuple[int, str]:
    return a, ""


@dynamic
def dynamic_double(a: int) -> int:
    return double(a=a)


@workflow
def doubled(values: list[int]) -> list[int]:
    return map_task(double)(a=values)


@workflow
def added(x: list[int], y: int) -> list[int]:
    return map_task(functools.partial(add, b=double(a=y)), concurrency=2)(a=x)


@workflow
def half(values: list[int]) -> list[int | None]:
    return map_task(positive, min_success_ratio=0.5)(a=values)


@workflow
def inner(a: int, b: int) -> int:
    return add(a=a, b=b)


@workflow
def planned(x: list[int]) -> list[int]:
    plan = LaunchPlan.get_or_create(inner, name="mapped", fixed_inputs={"b": 10})
    return map_task(plan)(a=x)


@given(values=st.lists(st.integers(-1000, 1000), max_size=8))
@settings(max_examples=20, deadline=None)
def test_results_are_in_order(values: list[int]) -> None:
    assert doubled(values=values) == [2 * value for value in values]


def test_bound_inputs_are_the_same_for_all() -> None:
    assert added(x=[1, 2, 3], y=5) == [11, 12, 13]


def test_missing_results_are_none() -> None:
    assert half(values=[1, -2, 3, -4]) == [1, None, 3, None]
    with pytest.raises(ValueError, match=r"-[246] is negative"):
        half(values=[1, -2, -4, -6])


def test_too_few_successes_fail_as_the_task_did() -> None:
    with pytest.raises(ValueError, match="-2 is negative"):
        map_task(positive)(a=[1, -2])


def test_enough_successes() -> None:
    with pytest.raises(ValueError, match="is negative"):
        map_task(positive, min_successes=2)(a=[1, -2, -3])


def test_bounds_are_compiled_as_they_are_said() -> None:
    @workflow
    def flow(values: list[int]) -> list[int]:
        return map_task(positive, min_successes=2, concurrency=0)(a=values)

    array = compile_workflow(flow).primary.template.nodes[0].array_node
    assert (array.WhichOneof("success_criteria"), array.min_successes) == ("min_successes", 2)
    assert (array.WhichOneof("parallelism_option"), array.parallelism) == ("parallelism", 0)


def test_called_outside_of_a_workflow() -> None:
    assert map_task(add)(a=[1, 2], b=[3, 4]) == [4, 6]
    assert map_task(say)(text=["a"]) is None


def test_lists_of_different_lengths() -> None:
    with pytest.raises(ExecutionError, match="differ in length: 'a' has 2, 'b' has 1"):
        map_task(add)(a=[1, 2], b=[3])


def test_launch_plans_are_mapped() -> None:
    assert planned(x=[1, 2]) == [11, 12]
    closure = compile_workflow(planned)
    assert [plan.template.id.name for plan in closure.launch_plans] == ["mapped"]
    assert dict(closure.launch_plans[0].template.fixed_inputs.literals)["b"].scalar.primitive.integer == 10


def test_a_container_picks_its_member(monkeypatch: pytest.MonkeyPatch) -> None:
    template = compile_workflow(added).tasks[1].template
    locator = locator_of(template)
    assert locator is not None
    item = locator.load()
    types = default_types()
    inputs = literals_pb2.LiteralMap()
    inputs.literals["a"].CopyFrom(types.to_literal([5, 6, 7], types.literal_type(list[int]), ConversionContext()))
    inputs.literals["b"].scalar.primitive.integer = 1
    monkeypatch.setenv("BATCH_JOB_ARRAY_INDEX_VAR_NAME", "MY_INDEX")
    monkeypatch.setenv("MY_INDEX", "2")
    assert execute_task(item, inputs).literals["o0"].scalar.primitive.integer == 8


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (lambda: map_task(5), "it repeats tasks and launch plans"),
        (lambda: map_task(doubled), "it repeats tasks and launch plans"),
        (lambda: map_task(dynamic_double), "repeat a plain task"),
        (lambda: map_task(split), "it has 2 outputs, and may have one at most"),
        (lambda: map_task(functools.partial(add, c=1)), "has no input 'c' to bind; it has a, b"),
        (lambda: map_task(functools.partial(add, 1)), "arguments by name"),
        (lambda: map_task(functools.partial(double, a=1)), "no input is left"),
        (lambda: map_task(double, concurrency=-1), "concurrency is -1"),
        (lambda: map_task(double, min_successes="x"), "min_successes is 'x'"),
        (lambda: map_task(double, min_success_ratio=2), "min_success_ratio is 2"),
    ],
)
def test_mistakes(use: Callable[[], Any], said: str) -> None:
    with pytest.raises(AuthoringError) as caught:
        use()
    assert said in caught.value.message


@pytest.mark.parametrize("version", [0, 3])
def test_a_mapped_task_of_a_service_keeps_the_version_that_the_service_knows(version: int) -> None:
    served = ConnectorTask("served", "warehouse", inputs={"a": int}, outputs={"o": int}, task_type_version=version)

    @workflow
    def mapped(values: list[int]) -> list[int]:
        return map_task(served)(a=values)  # type: ignore[no-any-return]

    compiled = compile_workflow(mapped)
    (template,) = (each.template for each in compiled.tasks)
    assert (template.type, template.task_type_version) == ("warehouse", version)
