"""Workflows with every kind of node, as their authors write them."""

import functools
from datetime import timedelta
from pathlib import Path
from typing import Optional

from connectory.authoring.conditional import conditional
from connectory.authoring.context import current_context
from connectory.authoring.dynamic import dynamic
from connectory.authoring.gate import approve, sleep, wait_for_input
from connectory.authoring.launch_plan import LaunchPlan
from connectory.authoring.map_task import map_task
from connectory.authoring.task import task
from connectory.authoring.workflow import workflow
from connectory.types import OutputMetadata

MINUTE = timedelta(minutes=1)


@task
def square(x: int) -> int:
    return x * x


@task
def negate(x: int) -> int:
    return -x


@task
def add(x: int, y: int) -> int:
    return x + y


@task
def odd(x: int) -> int:
    if x % 2 == 0:
        raise ValueError(f"{x} is even")
    return x


@task
def note(folder: str, name: str) -> str:
    Path(folder, name).touch()
    return name


@workflow
def chosen(x: int) -> int:
    big = square(x=x)
    return (
        conditional("size")
        .if_((big > 50) & (x > 0))
        .then(negate(x=big))
        .elif_(big == 4)
        .then(add(x=big, y=x))
        .else_()
        .fail("neither big nor four")
    )


@workflow
def waiting() -> int:
    given = wait_for_input("number", timeout=MINUTE, expected_type=int)
    return approve(square(x=given), "good", timeout=MINUTE)


@workflow
def patient() -> int:
    return wait_for_input("number", timeout=timedelta.max, expected_type=int)


@task
def labelled(x: int, label: str) -> str:
    return f"{label} {x}"


@workflow
def at_odds() -> str:
    number = wait_for_input("it", timeout=MINUTE, expected_type=int)
    return labelled(x=number, label=wait_for_input("it", timeout=MINUTE, expected_type=str))


@dynamic
def named(x: int) -> str:
    return wait_for_input("number", timeout=MINUTE, expected_type=str)


@workflow
def at_odds_later() -> str:
    return named(x=wait_for_input("number", timeout=MINUTE, expected_type=int))


@workflow
def impatient() -> int:
    return wait_for_input("number", timeout=timedelta(milliseconds=50), expected_type=int)


@workflow
def slept(x: int) -> int:
    pause = sleep(timedelta(milliseconds=20))
    result = square(x=x)
    pause >> result
    return result


@workflow
def mapped(xs: list[int]) -> list[int]:
    return map_task(square, concurrency=2)(x=xs)


@workflow
def mostly_odd(xs: list[int]) -> list[Optional[int]]:  # noqa: UP045
    return map_task(odd, min_success_ratio=0.5)(x=xs)


@workflow
def three_odd(xs: list[int]) -> list[Optional[int]]:  # noqa: UP045
    return map_task(odd, min_successes=3)(x=xs)


@dynamic
def one_less(x: int) -> int:
    return one_less(x=x - 1) if x > 0 else x


@workflow
def down_to_zero(x: int) -> int:
    return one_less(x=x)


@task
def clean_up(folder: str, x: int, err: Optional[str] = None) -> None:  # noqa: UP045
    Path(folder, "error").write_text(err or "no error")


@workflow(on_failure=clean_up)
def cleaned(folder: str, x: int) -> int:
    return odd(x=x)


@dynamic
def sum_of_squares(count: int) -> int:
    total = square(x=0)
    for value in range(count):
        total = add(x=total, y=square(x=value))
    return total


@dynamic
def countdown(count: int) -> int:
    if count == 0:
        return square(x=3)
    return countdown(count=count - 1)


@workflow
def summed(count: int) -> int:
    return negate(x=sum_of_squares(count=count))


@workflow
def nested(count: int) -> int:
    return countdown(count=count)


@workflow
def planned(x: int, y: int) -> int:
    return add(x=x, y=y)


plan = LaunchPlan.get_or_create(planned, name="plan", default_inputs={"x": 40}, fixed_inputs={"y": 2})


@workflow
def launches() -> int:
    return plan()


@task
def tells(folder: str) -> int:
    """Each run leaves a file."""
    count = len(list(Path(folder).iterdir()))
    Path(folder, str(count)).touch()
    return count


@workflow
def told(folder: str) -> int:
    return tells(folder=folder).with_overrides(cache=True, cache_version="7")


@task(retries=5)
def broken(folder: str) -> int:
    Path(folder, str(len(list(Path(folder).iterdir())))).touch()
    raise ConnectionError("never")


@workflow
def tried_twice(folder: str) -> int:
    return broken(folder=folder).with_overrides(retries=1)


@workflow
def mapped_partly(xs: list[int], y: int) -> list[int]:
    return map_task(functools.partial(add, y=y))(x=xs)


@workflow
def mapped_plan(xs: list[int]) -> list[int]:
    return map_task(plan, concurrency=2)(x=xs)


@workflow
def sized(x: int) -> int:
    return conditional("inner").if_(x > 10).then(negate(x=x)).else_().then(square(x=x))


@workflow
def chosen_twice(x: int) -> int:
    return conditional("outer").if_(x > 0).then(sized(x=x)).else_().then(mapped_sum(xs=[x, x]))


@dynamic
def mapped_sum(xs: list[int]) -> int:
    squares = map_task(square)(x=xs)
    return total(xs=squares)


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def cleaning(folder: str, x: int) -> None:
    note(folder=folder, name="cleaned")


@workflow(on_failure=cleaning)
def cleaned_by_a_workflow(folder: str, x: int) -> int:
    return odd(x=x)


@task
def noted(x: int) -> list[int]:
    values = [x]
    current_context().output_metadata_tracker.add(values, OutputMetadata(entries={"quality": f"good {x}"}))
    return values


@workflow
def noting(x: int) -> tuple[list[int], list[list[int]]]:
    return noted(x=x), map_task(noted)(x=[1, 2])
