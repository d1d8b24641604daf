"""Eager tasks in plain Python: what their code calls are nodes, with retries and a place in the cache."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest

from connectory.authoring import LaunchPlan, current_context, eager, map_task, plain_calls, task, workflow
from connectory.authoring.errors import TaskFailedError

DONE: list[str] = []


class MyError(Exception):
    pass


@pytest.fixture(autouse=True)
def _at_once() -> Any:
    DONE.clear()
    with plain_calls(retry_wait=0):
        yield


@task(retries=1)
def second_time(a: int) -> int:
    DONE.append(f"attempt {current_context().attempt}")
    if not current_context().attempt:
        raise MyError("not yet")
    return a


@task
def wrong(a: int) -> int:
    raise MyError(f"{a} is wrong")


@workflow
def doubled(a: int) -> int:
    return second_time(a=a)


@eager
async def driven(a: int) -> int:
    first = second_time(a=a)
    try:
        wrong(a=first)
    except MyError as error:
        DONE.append(str(error))
    return first + doubled(a=5)


@workflow
def flow(a: int) -> int:
    return driven(a=a)


def test_calls_have_their_retries_and_raise_what_the_task_raised() -> None:
    assert flow(a=3) == 8
    assert DONE == ["attempt 0", "attempt 1", "3 is wrong", "attempt 0", "attempt 1"]


async def test_the_same_when_it_is_awaited() -> None:
    assert await driven(a=3) == 8
    assert DONE == ["attempt 0", "attempt 1", "3 is wrong", "attempt 0", "attempt 1"]


@eager(retries=1)
async def breaks_off(a: int) -> int:
    result = second_time(a=a)
    if not current_context().attempt:
        raise MyError("after the work")
    return result


@workflow
def goes_on(a: int) -> int:
    return breaks_off(a=a)


def test_what_was_called_outlives_the_attempt() -> None:
    assert goes_on(a=3) == 3
    assert DONE == ["attempt 0", "attempt 1"]


MEETING = threading.Barrier(3)


@task
async def met(a: int) -> int:
    await asyncio.to_thread(MEETING.wait, 30)
    return a


@eager
async def gathered() -> list[int]:
    return list(await asyncio.gather(met(a=1), met(a=2), met(a=3)))


@workflow
def all_together() -> list[int]:
    return gathered()


def test_what_is_gathered_runs_at_once() -> None:
    assert all_together() == [1, 2, 3]


async def test_the_same_when_it_is_awaited_at_once() -> None:
    assert await gathered() == [1, 2, 3]


@task
async def sleeps(a: int) -> int:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        DONE.append("cancelled")
        raise
    return a


@eager
async def impatient() -> str:
    try:
        async with asyncio.timeout(0.2):
            await sleeps(a=1)
    except TimeoutError:
        return "it took too long"
    return "it was quick"


@workflow
def withdrawn() -> str:
    return impatient()


def test_what_is_not_awaited_any_more_is_ended() -> None:
    assert withdrawn() == "it took too long"
    assert DONE == ["cancelled"]


async def test_the_same_without_a_workflow() -> None:
    assert await impatient() == "it took too long"
    assert DONE == ["cancelled"]


@eager(timeout=timedelta(milliseconds=200))
async def too_long() -> int:
    return await sleeps(a=1)


@workflow
def limited() -> int:
    return too_long()


def test_its_calls_end_with_it() -> None:
    with pytest.raises(TaskFailedError, match=r"did not end within 0\.2 s"):
        limited()
    assert DONE == ["cancelled"]


@task
def add(a: int, b: int) -> int:
    return a + b


@workflow
def sum_of(a: int, b: int = 100) -> int:
    return add(a=a, b=b)


fixed = LaunchPlan.create("eager_fixed", sum_of, fixed_inputs={"a": 1}, default_inputs={"b": 20})


@eager
async def everything() -> list[int]:
    return [fixed(), fixed(b=3), sum_of(a=2), *map_task(fixed)(b=[4, 5])]


@workflow
def all_kinds() -> list[int]:
    return everything()


def test_launch_plans_and_map_tasks_are_called() -> None:
    assert all_kinds() == [21, 4, 102, 5, 6]


async def test_called_one_by_one() -> None:
    assert await everything() == [21, 4, 102, 5, 6]
