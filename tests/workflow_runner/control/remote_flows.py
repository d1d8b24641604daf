"""Workflows that `connectory register` registers and flytekit's FlyteRemote runs."""

from datetime import timedelta

from connectory import (
    ConnectorTask,
    LaunchPlan,
    approve,
    conditional,
    dynamic,
    eager,
    map_task,
    task,
    wait_for_input,
    workflow,
)


@task
def double(x: int) -> int:
    return x * 2


@task
def letters(x: int) -> str:
    return "x" * x


@task
def explode(x: int) -> int:
    raise ValueError(f"{x} is a bad number")


@task
async def halve(x: int) -> int:
    return x // 2


@eager
async def halved_until_odd(x: int) -> int:
    while x % 2 == 0:
        x = await halve(x=x)
    return x


@task
def clean_up(x: int) -> None:
    return None


@dynamic
def doubled(n: int) -> int:
    value = 1
    for _ in range(n):
        value = double(x=value)
    return value


@workflow
def twice(x: int = 2) -> int:
    return double(x=double(x=x))


@workflow
def long(x: int) -> str:
    return letters(x=x)


@workflow
def failing(x: int) -> int:
    return explode(x=x)


@workflow(on_failure=clean_up)
def cleaning(x: int) -> int:
    return explode(x=x)


@workflow
def odd(x: int) -> int:
    return halved_until_odd(x=x)


@workflow
def nested(x: int) -> int:
    return double(x=twice(x=x))


@workflow
def made(n: int) -> int:
    return doubled(n=n)


@workflow
def choosing(x: int) -> int:
    return conditional("big").if_(x > 10).then(double(x=x)).else_().then(twice(x=x))


@workflow
def mapped(xs: list[int]) -> list[int]:
    return map_task(double)(x=xs)


twice_of_seven = LaunchPlan.get_or_create(twice, "twice_of_seven", fixed_inputs={"x": 7}, auto_activate=True)


@workflow
def by_plan() -> int:
    return double(x=twice_of_seven())


@workflow
def gated() -> int:
    result = double(x=wait_for_input("how_many", timedelta(minutes=5), int))
    return approve(result, "fine", timedelta(minutes=5))


sleep = ConnectorTask("sleep_long", "sleep", {"duration": 600.0}, {}, {})


@workflow
def sleepy() -> None:
    sleep()
