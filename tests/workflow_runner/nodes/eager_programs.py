"""Eager tasks, as their authors write them."""

# ruff: noqa: ASYNC230, ASYNC240 - files tell the tests what has run

import asyncio
from pathlib import Path

from connectory.authoring.context import current_context
from connectory.authoring.eager import eager
from connectory.authoring.launch_plan import LaunchPlan
from connectory.authoring.map_task import map_task
from connectory.authoring.task import task
from connectory.authoring.workflow import workflow


@task
async def double(x: int) -> int:
    return 2 * x


@task
async def odd(x: int) -> int:
    if x % 2 == 0:
        raise ValueError(f"{x} is even")
    return x


@task
def add(x: int, y: int) -> int:
    return x + y


@task
async def noted(folder: str, name: str) -> str:
    """Each run leaves a line."""
    with Path(folder, name).open("a") as file:
        file.write("run\n")
    return name


@task
async def slow(folder: str, name: str, seconds: int = 60) -> str:
    Path(folder, name).touch()
    await asyncio.sleep(seconds)
    return name


@workflow
def summed(x: int, y: int) -> int:
    return add(x=x, y=y)


plan = LaunchPlan.get_or_create(summed, name="eager_plan", default_inputs={"y": 100})


@eager
async def chained(x: int) -> int:
    while x < 20:
        x = await double(x=x)
    return x


@eager
async def gathered(xs: list[int]) -> list[int]:
    return list(await asyncio.gather(*(double(x=x) for x in xs)))


@eager
async def forgiving(x: int) -> str:
    try:
        return str(await odd(x=x))
    except ValueError as error:
        return f"caught {error}"


@eager
async def failing(x: int) -> int:
    return await odd(x=x)


@eager
async def nesting(x: int) -> int:
    return sum(await asyncio.gather(chained(x=x), chained(x=x + 1)))


@eager
async def everything(x: int) -> int:
    both = await asyncio.gather(asyncio.to_thread(summed, x=x, y=1), asyncio.to_thread(plan, x=x))
    return add(x=sum(both), y=sum(map_task(add)(x=[1, 2], y=[3, 4])))


@eager
async def hurried(folder: str) -> str:
    """The slow one is given up."""
    try:
        return await asyncio.wait_for(slow(folder=folder, name="slow", seconds=3), timeout=0.3)
    except TimeoutError:
        return await noted(folder=folder, name="instead")


@eager
async def waiting(folder: str) -> str:
    first = await noted(folder=folder, name="first")
    return await slow(folder=folder, name=f"after {first}")


@eager(retries=1)
async def second_time(folder: str) -> str:
    first = await noted(folder=folder, name="first")
    tries = Path(folder, "tries")
    tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
    if len(tries.read_text()) == 1:
        raise ConnectionError("try again")
    return first


@workflow
def flow(x: int) -> int:
    return add(x=chained(x=x), y=1)


@workflow
def hurried_flow(folder: str) -> str:
    return hurried(folder=folder)


@workflow
def waiting_flow(folder: str) -> str:
    return waiting(folder=folder)


@workflow
def second_time_flow(folder: str) -> str:
    return second_time(folder=folder)


@workflow
def gathered_flow(xs: list[int]) -> list[int]:
    return gathered(xs=xs)


@workflow
def forgiving_flow(x: int) -> str:
    return forgiving(x=x)


@workflow
def failing_flow(x: int) -> int:
    return failing(x=x)


@workflow
def nesting_flow(x: int) -> int:
    return nesting(x=x)


@workflow
def everything_flow(x: int) -> int:
    return everything(x=x)


@eager(retries=1)
async def twice(x: int) -> int:
    """The first attempt gives up while a call still runs."""
    first, second = asyncio.ensure_future(double(x=x)), asyncio.ensure_future(odd(x=x))
    try:
        await second
    except ValueError:
        if current_context().attempt == 0:
            raise ConnectionError("once more") from None
    return await first


@workflow
def forgiving_twice(x: int) -> int:
    return twice(x=x)
