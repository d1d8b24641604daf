"""Eager tasks: what their code calls, catches and gathers."""

from __future__ import annotations

import asyncio

from connectory.authoring import current_context, eager, map_task, task, workflow
from tests.workflow_runner.local.parity.both import Case
from tests.workflow_runner.local.parity.log import done
from tests.workflow_runner.local.parity.steps import add, fails, guarded, inner, plan, sums


@task(retries=1)
async def second_time(a: int) -> int:
    done(f"attempt {current_context().attempt}")
    if not current_context().attempt:
        raise ConnectionError("not yet")
    return a


@eager
async def gathered(a: int) -> int:
    first, second, third = await asyncio.gather(second_time(a=a), second_time(a=2), second_time(a=2))
    return add(a=first, b=second + third)


@eager
async def caught(a: int) -> str:
    try:
        fails(a=a)
    except ValueError as error:
        done("caught")
        done(f"{a} is wrong" in str(error))
    try:
        guarded(a=a)
    except ValueError:
        return "caught twice"
    return "not caught"


@eager
async def inside(a: int) -> int:
    nested = await gathered(a=a)
    pair = inner(a=nested)
    return pair.less + plan(a=1).less + sums(a=3) + sum(map_task(add)(a=[1, 2], b=[3, 4]))


@eager(retries=1)
async def broken_off(a: int) -> int:
    result = add(a=a, b=1)
    if not current_context().attempt:
        raise ConnectionError("after the work")
    return result


@eager
async def not_caught(a: int) -> int:
    return await second_time(a=a) + fails(a=a)


@workflow
def gathers(a: int) -> int:
    return gathered(a=a)


@workflow
def catches(a: int) -> str:
    return caught(a=a)


@workflow
def nests(a: int) -> int:
    return add(a=inside(a=a), b=0)


@workflow
def breaks_off(a: int) -> int:
    return broken_off(a=a)


@workflow
def does_not_catch(a: int) -> int:
    return not_caught(a=a)


CASES = [
    Case(flow=gathers, inputs={"a": 1}),
    Case(flow=gathers, inputs={"a": 1}, at_once=4),
    Case(flow=catches, inputs={"a": 1}),
    Case(flow=nests, inputs={"a": 1}),
    Case(flow=breaks_off, inputs={"a": 1}),
    Case(flow=does_not_catch, inputs={"a": 1}),
]
