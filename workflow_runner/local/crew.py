"""The attempts of one call: what is to begin, what runs in threads, and what was told to end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from math import inf
from queue import SimpleQueue
from typing import Final

from connectory.authoring.attempts import AttemptPlace
from connectory.authoring.blocking import Cancellation
from workflow_runner.local.attempts import Result, Work, work_of
from workflow_runner.local.calls import LocalCalls
from workflow_runner.local.job import Job, Place
from workflow_runner.local.names import Names
from workflow_runner.local.workers import Worker
from workflow_runner.python.messages import Asked, Withdrawn

__all__ = ["Crew"]

_LAST_STEPS: Final = 5.0
"""For so many seconds code may go on after what it waited for was cancelled."""


class Crew:
    """Runs a task in the calling thread when nothing else is going on, and otherwise in a thread of its own.

    `ended` is called with what an attempt ended with, `stopped` when one has ended early, and `asked` with what an
    eager task calls: all in the thread that performs what is in the inbox.
    """

    def __init__(
        self,
        names: Names,
        inbox: SimpleQueue[Callable[[], None]],
        *,
        ended: Callable[[Job, Result], None],
        stopped: Callable[[Place], None],
        asked: Callable[[Place, Asked | Withdrawn], None],
    ) -> None:
        self._names = names
        self._inbox = inbox
        self._ended = ended
        self._stopped = stopped
        self._asked = asked
        self._ready: deque[Job] = deque()
        self._workers: dict[Place, Worker] = {}
        self._ending: dict[Place, float] = {}
        self._in_this_thread = Cancellation()

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs in another thread."""
        return not self._workers

    @property
    def has_ready(self) -> bool:
        """Whether something is to begin."""
        return bool(self._ready)

    def add(self, job: Job) -> None:
        """Let it begin."""
        self._ready.append(job)

    def begin(self, *, alone: bool) -> None:
        """Begin what is ready. `alone` says that nothing goes on besides."""
        if len(self._ready) == 1 and alone and not self._workers and not self._ready[0].is_eager:
            job = self._ready.popleft()
            self._ended(job, self._work(job, self._in_this_thread)())
        while self._ready:
            self._begin_beside(self._ready.popleft())

    def calls_of(self, place: Place) -> LocalCalls | None:
        """Who waits for what this attempt has called."""
        worker = self._workers.get(place)
        return worker.calls if worker is not None else None

    def stop(self, place: Place, now: float) -> None:
        """End an attempt. Code that waits for nothing that could be ended goes on, and what it gives is dropped."""
        self._ready = deque(job for job in self._ready if job.place != place)
        worker = self._workers.get(place)
        if worker is not None and worker.cancel():
            self._ending[place] = inf if worker.is_orderly else now + _LAST_STEPS
        else:
            self._leave(place)

    def cancel(self) -> None:
        """Cancel what the calling thread waits for. Called from another one."""
        self._in_this_thread.cancel()

    def next_at(self) -> float:
        """When an attempt that was told to end is not waited for any longer."""
        return min(self._ending.values(), default=inf)

    def give_up(self, now: float) -> None:
        """Wait no longer for those that were told to end long ago."""
        for place in [place for place, until in self._ending.items() if until <= now]:
            self._leave(place)

    def _begin_beside(self, job: Job) -> None:
        calls = None
        if job.is_eager:
            calls = LocalCalls(self._names, lambda message: self._inbox.put(partial(self._asked, job.place, message)))
        cancellation = Cancellation()
        worker = self._workers[job.place] = Worker(
            job.title,
            self._work(job, cancellation, calls),
            cancellation,
            calls,
            lambda result: self._inbox.put(partial(self._ended_beside, job, result)),
        )
        worker.start()

    @staticmethod
    def _work(job: Job, cancellation: Cancellation, calls: LocalCalls | None = None) -> Work:
        place = AttemptPlace(job.attempt, job.folder)
        return work_of(job.task, job.inputs, place=place, cancellation=cancellation, delegate=calls)

    def _ended_beside(self, job: Job, result: Result) -> None:
        """A thread has come to its end; if nobody waits for it any more, that changes nothing."""
        if job.place in self._ending:
            self._leave(job.place)
        elif self._workers.pop(job.place, None) is not None:
            self._ended(job, result)

    def _leave(self, place: Place) -> None:
        self._workers.pop(place, None)
        self._ending.pop(place, None)
        self._stopped(place)
