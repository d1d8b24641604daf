"""Timers and clocks that jump."""

import asyncio

from workflow_runner.engine.commands import SetTimer
from workflow_runner.timers import Timers


def timer(at: float, after: float) -> SetTimer:
    return SetTimer(kind="attempt", node="n", attempt=0, at=at, after=after)


async def rings(clock: list[float], *set_timers: SetTimer) -> list[SetTimer]:
    """What rings while the event loop runs until nothing more is due soon."""
    rung: list[SetTimer] = []
    first = asyncio.Event()
    timers = Timers(lambda fired: (rung.append(fired), first.set()), lambda: clock[0])
    for one in set_timers:
        timers.set(one)
    async with asyncio.timeout(5):
        await first.wait()
    timers.clear()
    return rung


async def test_a_clock_that_was_set_back_does_not_lengthen_the_wait() -> None:
    due = timer(at=1000.01, after=0.01)
    assert await rings([-1e6], due) == [due]


async def test_a_time_that_has_passed_rings_at_once() -> None:
    due = timer(at=10.0, after=3600.0)
    assert await rings([1000.0], due) == [due]


async def test_the_same_timer_set_twice_rings_once() -> None:
    due = timer(at=1000.0, after=0.0)
    assert await rings([1000.0], due, due) == [due]
