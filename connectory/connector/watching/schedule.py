"""When which job is to be polled: one alarm for all of them."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count
from math import ceil
from time import monotonic
from typing import Final

from connectory.connector.watching.jobs import WatchedJob

__all__ = ["Schedule"]

_TICK: Final = 0.05
"""Jobs that are due within the same so many seconds are polled together, unless they are in a hurry."""
_HURRIED: Final = 0.5
_SHORTEST: Final = 0.001


class Schedule:
    """Gives jobs to `begin` when they are due."""

    def __init__(self, begin: Callable[[list[WatchedJob]], None]) -> None:
        self._begin = begin
        self._waiting: list[tuple[float, int, WatchedJob]] = []
        self._numbers = count()
        self._alarm: asyncio.TimerHandle | None = None
        self._rings_at = 0.0

    def add(self, job: WatchedJob, wait: float) -> None:
        """Poll a job in so many seconds. What was planned for it before counts no more."""
        due = monotonic() + wait
        if wait >= _HURRIED:
            due = ceil(due / _TICK) * _TICK
        job.due = due
        heapq.heappush(self._waiting, (due, next(self._numbers), job))
        if self._alarm is None or due < self._rings_at:
            self._set_alarm(due)

    def close(self) -> None:
        """Nothing is due any more."""
        self._waiting.clear()
        if self._alarm is not None:
            self._alarm.cancel()

    def _set_alarm(self, due: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._rings_at = due
        wait = max(due - monotonic(), _SHORTEST)
        self._alarm = asyncio.get_running_loop().call_later(wait, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        now, due = monotonic(), []
        waiting = self._waiting
        while waiting and waiting[0][0] <= now:
            at, _, job = heapq.heappop(waiting)
            if job.due == at:
                job.due = None
                due.append(job)
        if due:
            self._begin(due)
        if waiting and self._alarm is None:
            self._set_alarm(waiting[0][0])
