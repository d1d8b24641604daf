"""Calls on their way through worker processes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from workflow_runner.plugins.node_calls import NodeCalls
from workflow_runner.python.driving import answered
from workflow_runner.python.messages import Answered, Asked, Call, Reply, Withdrawn
from workflow_runner.python.prompt import PromptFuture

if TYPE_CHECKING:
    from workflow_runner.python.process import WorkerProcess

__all__ = ["CallFuture", "Office", "Work"]


class Office(Protocol):
    """Who sees to it that calls are run."""

    def let(self, work: Work) -> asyncio.Future[Reply]:
        """Let a call begin as soon as there is a place for it."""
        ...

    def drop(self, work: Work) -> None:
        """What was announced won't begin."""
        ...

    def end(self, work: Work) -> None:
        """End a call early, wherever it is, and settle it once that is confirmed."""
        ...


class CallFuture(PromptFuture[Reply]):
    """The reply to a call. Cancelling it asks for the end of the call; it is cancelled once that is confirmed."""

    def __init__(self, work: Work) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._work: Work | None = work

    def cancel(self, msg: Any | None = None) -> bool:
        """Ask for the end of the call. Repetition changes nothing."""
        if self.done():
            return False
        work, self._work = self._work, None
        if work is not None:
            work.office.end(work)
        return True

    def settle(self, reply: Reply | BaseException | None) -> None:
        """The call has ended: with this reply, with an error, or as it was cancelled."""
        self._work = None
        if self.done():
            return
        if reply is None:
            super().cancel()
        elif isinstance(reply, BaseException):
            self.set_exception(reply)
        else:
            self.set_result(reply)


class Work:
    """One call, and where it is."""

    __slots__ = ("answers", "call", "calls", "future", "is_let", "number", "office", "worker")

    def __init__(self, call: Call, office: Office, calls: NodeCalls | None = None) -> None:
        self.call = call
        self.calls = calls
        """Runs what the code calls."""
        self.office = office
        self.future = CallFuture(self)
        self.worker: WorkerProcess | None = None
        """Who has been told of it."""
        self.number = 0
        """How that one knows it."""
        self.is_let = False
        """Whether it may begin there, and perhaps has."""
        self.answers: set[asyncio.Future[Answered]] = set()

    def begin(self) -> asyncio.Future[Reply]:
        """See `Announced.begin`."""
        return self.office.let(self)

    def drop(self) -> None:
        """See `Announced.drop`."""
        self.office.drop(self)

    def ask(self, asked: Asked) -> None:
        """The code calls something, and is to be told how that ends."""
        if self.calls is not None:
            answer = answered(self.calls, asked)
            self.answers.add(answer)
            answer.add_done_callback(self._pass_on)

    def withdraw(self, withdrawn: Withdrawn) -> None:
        """The code does not wait for that any more."""
        if self.calls is not None:
            self.calls.withdraw(withdrawn.call)

    def _pass_on(self, answer: asyncio.Future[Answered]) -> None:
        self.answers.discard(answer)
        if self.worker is not None and not answer.cancelled():
            self.worker.answer(self, answer.result())

    def settle(self, reply: Reply | BaseException | None) -> None:
        """It has ended; None: as it was to end early."""
        for answer in list(self.answers):
            answer.cancel()
        self.future.settle(reply)
