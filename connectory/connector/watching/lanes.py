"""Where polls wait for their turn: a lane for each category and credential, so that a slow system delays no other."""

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final

from connectory.connector.watching.jobs import WatchedJob

__all__ = ["POLL_LIMIT", "Lane"]

POLL_LIMIT: Final = 60.0
"""Seconds that one poll may take."""
_SLICE: Final = 0.003
"""After so many seconds of polls that never wait for anything, others get their turn."""

Poll = Callable[[WatchedJob], Awaitable[float]]
"""Polls a job to the end. Answers for how many seconds its lane has to be left alone; the job is then polled again."""


class _Worker:
    """Polls one job after the other."""

    __slots__ = ("is_late", "since", "task")

    def __init__(self) -> None:
        self.since = monotonic()
        self.is_late = False
        self.task: asyncio.Task[None] | None = None


class Lane:
    """Polls jobs in the order in which they come, at most `most()` at once."""

    def __init__(self, poll: Poll, late: Callable[[WatchedJob], None], most: Callable[[], int]) -> None:
        self.jobs = 0
        """How many jobs are polled here, again and again."""
        self._poll = poll
        self._late = late
        self._most = most
        self._queue: deque[WatchedJob] = deque()
        self._workers: set[_Worker] = set()
        self._pumping = False
        self._busy = 0
        """How many workers need nothing but the processor."""
        self._pause: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing is polled here any more."""
        return not (self.jobs or self._queue or self._workers)

    def add(self, job: WatchedJob) -> None:
        """Poll a job when it is its turn."""
        self._queue.append(job)
        if not self._pumping and self._pause is None:
            self._pump()

    def sweep(self) -> None:
        """Give up polls that take too long."""
        longest = monotonic() - POLL_LIMIT
        for worker in self._workers:
            if worker.since < longest and not worker.is_late and worker.task is not None:
                worker.is_late = True
                worker.task.cancel()

    async def aclose(self) -> None:
        """Give up all polls."""
        self._closed = True
        self._queue.clear()
        if self._pause is not None:
            self._pause.cancel()
        tasks = [worker.task for worker in self._workers if worker.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _pump(self) -> None:
        """One more worker for each round of the event loop in which all others wait for answers."""
        self._pumping = False
        if not self._queue or self._closed or self._pause is not None or len(self._workers) >= self._most():
            return
        if self._busy:
            self._pump_again()
            return
        worker = _Worker()
        self._workers.add(worker)
        # In a context of its own: it is not part of the call in which the job was named.
        worker.task = asyncio.get_running_loop().create_task(self._work(worker), context=contextvars.Context())
        self._pump_again()

    def _pump_again(self) -> None:
        self._pumping = True
        asyncio.get_running_loop().call_soon(self._pump)  # when those who work now wait for something

    async def _work(self, worker: _Worker) -> None:
        slice_ends = monotonic() + _SLICE
        try:
            while self._queue and self._pause is None:
                job = self._queue.popleft()
                if job.ended:
                    continue
                worker.since = now = monotonic()
                if now > slice_ends:
                    self._queue.appendleft(job)
                    await self._give_way()
                    slice_ends = monotonic() + _SLICE
                    continue
                try:
                    pause = await self._poll(job)
                except asyncio.CancelledError:
                    if not self._gave_up(worker):
                        raise
                    self._late(job)
                    continue
                if pause:
                    self._queue.appendleft(job)
                    self._rest(pause)
        finally:
            self._workers.discard(worker)
            if self._queue and not self._pumping:
                self._pump()

    async def _give_way(self) -> None:
        self._busy += 1
        try:
            await asyncio.sleep(0)
        finally:
            self._busy -= 1

    def _gave_up(self, worker: _Worker) -> bool:
        """Whether a poll was cancelled because it took too long, and nothing else is to end."""
        if not worker.is_late or self._closed or worker.task is None:
            return False
        worker.is_late = False
        worker.task.uncancel()
        return True

    def _rest(self, seconds: float) -> None:
        if self._pause is None and not self._closed:
            self._pause = asyncio.get_running_loop().call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        self._pause = None
        self._pump()
