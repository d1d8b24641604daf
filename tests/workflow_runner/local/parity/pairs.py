"""Repetitions that end only when two of them run at the same time, and count how many do."""

import threading

from connectory.authoring import map_task, task, workflow
from tests.workflow_runner.local.parity.both import Case

__all__ = ["CASES", "Count"]

_MEETING = threading.Barrier(2)


class Count:
    """How many run now, and how many did at most."""

    lock = threading.Lock()
    now = most = 0


@task
def in_pairs(a: int) -> int:
    with Count.lock:
        Count.now += 1
        Count.most = max(Count.most, Count.now)
    _MEETING.wait(timeout=30)
    with Count.lock:
        Count.now -= 1
    return a


@workflow
def bounded_by_itself(values: list[int]) -> list[int]:
    return map_task(in_pairs, concurrency=2)(a=values)


@workflow
def bounded_by_the_call(values: list[int]) -> list[int]:
    return map_task(in_pairs, concurrency=0)(a=values)


CASES = [
    Case(flow=bounded_by_itself, inputs={"values": [1, 2, 3, 4, 5, 6]}, at_once=0),
    Case(flow=bounded_by_the_call, inputs={"values": [1, 2, 3, 4, 5, 6]}, at_once=2),
]
