"""Worker processes for Python tasks: one call runs at a time in each, and a process is killed to end its call early."""

import asyncio
import itertools
import os
import sys
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from workflow_runner.plugins.node_calls import NodeCalls
from workflow_runner.python.crew import Crew
from workflow_runner.python.messages import Asked, Call, Failed, FromWorker, Reply, Withdrawn
from workflow_runner.python.process import WorkerProcess
from workflow_runner.python.work import Work

__all__ = ["ProcessExecutor"]

_AHEAD: Final = 8
"""A worker is told of so many calls at most; all but one wait there for their turn, so that it never waits for them."""
_SMALL: Final = 1 << 16
"""Calls with more bytes of inputs are not told ahead."""
_SLOW: Final = 0.05
"""When a worker has not answered for so many seconds, what waits there for its turn goes elsewhere."""


class ProcessExecutor:
    """Runs calls in at most `size` processes; they are started when there is work and kept for more.

    A task's code has a process to itself while it runs: if it takes the process down, only its own call fails, and what
    waited for its turn there goes to another one. Cancelling a call that has begun kills the process, and whatever the
    code started within its process group.
    """

    def __init__(self, size: int | None = None, *, path: Sequence[str] | None = None) -> None:
        self._crew = Crew(size or os.cpu_count() or 1, sys.path if path is None else path)
        self._waiting: deque[Work] = deque()
        self._numbers = itertools.count(1)

    async def prepare(self) -> None:
        """Start a process already, which takes the first call, whatever code that needs."""
        self._crew.take_back(await self._crew.lend(self, ""))

    def begin(self, call: Call) -> asyncio.Future[Reply]:
        """Run one call to its end."""
        return self.let(Work(call, self))

    def announce(self, call: Call) -> Work:
        """See `CallExecutor.announce`: a process that has nothing to do is told of it already."""
        work = Work(call, self)
        worker = self._crew.idle(call.code) if not self._waiting else None
        if worker is not None:
            self._tell(worker, [work])
        return work

    def let(self, work: Work) -> asyncio.Future[Reply]:
        """See `Office.let`."""
        if work.worker is not None:
            work.worker.let(work)
        else:
            self._waiting.append(work)
            self._go_on()
        return work.future

    def drop(self, work: Work) -> None:
        """See `Office.drop`."""
        if work.worker is not None:
            work.worker.forget(work)
            self._go_on()

    async def drive(self, call: Call, calls: NodeCalls) -> Reply:
        """The same for code that mostly waits for what it calls: it takes none of the places."""
        worker = await self._crew.lend(self, call.code)
        work = Work(call, self, calls)
        self._tell(worker, [work])
        worker.let(work)
        return await work.future

    async def close(self) -> None:
        """Kill every process, at work or not."""
        waiting, self._waiting = self._waiting, deque()
        for work in waiting:
            work.settle(None)
        for worker in await self._crew.close():
            for work in list(worker.work.values()):
                worker.forget(work).settle(None)

    def said(self, worker: WorkerProcess, number: int, message: FromWorker) -> None:
        """See `Heard.said`."""
        work = worker.work.get(number)
        if work is None:
            return
        match message:
            case Asked():
                work.ask(message)
            case Withdrawn():
                work.withdraw(message)
            case _:
                worker.forget(work).settle(message)
                self._answered(worker)

    def gone(self, worker: WorkerProcess) -> None:
        """See `Heard.gone`."""
        if not self._crew.dismiss(worker):
            return
        unbegun = worker.take_back()
        lost = [work for work in worker.work.values() if work.is_let]
        if not lost and not worker.has_answered:
            lost, unbegun = unbegun[:1], unbegun[1:]  # it does not even begin: another one would not either
        self._put_back(unbegun)
        for work in list(worker.work.values()):
            worker.forget(work)
        self._crew.run(self._report(worker, lost))
        self._go_on()

    async def _report(self, worker: WorkerProcess, lost: Sequence[Work]) -> None:
        message = f"the process that ran the task ended without an answer ({await worker.kill()})"
        for work in lost:
            work.settle(Failed(code="WORKER_DIED", message=message, kind="user", recoverable=True))

    def end(self, work: Work) -> None:
        """See `Office.end`."""
        worker = work.worker
        if worker is None:
            if work in self._waiting:  # else it has ended, and is about to be settled
                self._waiting.remove(work)
                work.settle(None)
            return
        others = [each for each in worker.take_back() if each is not work]
        self._put_back(others)
        if work.worker is None:  # it has not begun
            work.settle(None)
            self._crew.take_back(worker)
        else:
            self._crew.dismiss(worker)
            for each in list(worker.work.values()):
                worker.forget(each)
            self._crew.run(self._kill(worker, work))
        self._go_on()

    @staticmethod
    async def _kill(worker: WorkerProcess, work: Work) -> None:
        try:
            await worker.kill()
        finally:
            work.settle(None)

    def _go_on(self) -> None:
        """Tell workers of what waits, in its order."""
        while self._waiting:
            code = self._waiting[0].call.code
            worker = self._crew.idle(code)
            if worker is not None:
                self._hand_over(worker, 1)
                continue
            if self._crew.starting < len(self._waiting) and (self._crew.has_room or self._crew.has_idle):
                self._crew.hire(self, code, self._hired)
            lately = asyncio.get_running_loop().time() - _SLOW
            quick = (worker for worker in self._crew.busy(code) if worker.since > lately)
            worker = min(quick, key=lambda each: len(each.work), default=None)
            if worker is None or len(worker.work) > _AHEAD // 2 or len(self._waiting[0].call.inputs) > _SMALL:
                return
            self._hand_over(worker, _AHEAD - len(worker.work))

    def _hand_over(self, worker: WorkerProcess, most: int) -> None:
        works = [self._waiting.popleft()]
        while len(works) < most and self._waiting and self._may_wait_there(worker, self._waiting[0].call):
            works.append(self._waiting.popleft())
        self._tell(worker, works)
        worker.let(*works)

    @staticmethod
    def _may_wait_there(worker: WorkerProcess, call: Call) -> bool:
        return call.code == worker.code and len(call.inputs) <= _SMALL

    def _tell(self, worker: WorkerProcess, works: Iterable[Work]) -> None:
        for work in works:
            work.number = next(self._numbers)
        worker.tell(*works)

    def _hired(self, code: str, hired: WorkerProcess | Exception) -> None:
        if isinstance(hired, Exception):
            failed = next((work for work in self._waiting if work.call.code == code), None)
            if failed is not None:
                self._waiting.remove(failed)
                failed.settle(hired)
        self._go_on()
        if isinstance(hired, WorkerProcess) and not hired.work:
            self._relieve(hired)

    def _answered(self, worker: WorkerProcess) -> None:
        worker.has_answered, worker.since = True, asyncio.get_running_loop().time()
        self._crew.take_back(worker)
        if self._waiting and len(worker.work) <= _AHEAD // 2:
            self._relieve_slow(worker)
            self._go_on()
        if not worker.work and self._crew.is_shared:
            self._relieve(worker)

    def _relieve(self, idle: WorkerProcess) -> None:
        """Let one that has nothing to do take half of what waits for its turn with the one that has most."""
        busiest = max(self._crew.busy(idle.code), key=lambda each: len(each.work), default=None)
        if busiest is not None and len(busiest.work) > 1:
            self._put_back(busiest.take_back(len(busiest.work) // 2))
            self._go_on()

    def _relieve_slow(self, quick: WorkerProcess) -> None:
        """What waits for its turn with one that takes long comes first."""
        for worker in list(self._crew.busy(quick.code)):
            if len(worker.work) > 1 and quick.since - worker.since > _SLOW:
                self._put_back(worker.take_back())

    def _put_back(self, works: Sequence[Work]) -> None:
        self._waiting.extendleft(reversed(works))
