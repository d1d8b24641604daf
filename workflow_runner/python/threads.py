"""Threads for Python tasks: the quickest way to run code that is known to behave."""

import asyncio
import os
import threading
from collections.abc import Callable

import msgspec

from workflow_runner.plugins.contract import NotConfirmableError
from workflow_runner.plugins.node_calls import NodeCalls
from workflow_runner.python.calls import Channel, Waiting, perform
from workflow_runner.python.driving import answered
from workflow_runner.python.messages import Answered, Asked, Call, Failed, Reply, Withdrawn
from workflow_runner.python.pool import ThreadPool

__all__ = ["ThreadCall", "ThreadExecutor"]

_LAST_STEPS = 5.0
"""For so many seconds the code of an eager task may go on after it was told to end."""


class ThreadCall(msgspec.Struct, eq=False):
    """A call for a thread; see `Announced`."""

    _pool: "ThreadPool[ThreadCall, Reply]"
    call: Call
    follow: Callable[[Reply], "ThreadCall | None"] | None = None
    """Called in the thread with its reply: the call that the thread runs next, whose reply takes the place of this."""

    def begin(self) -> asyncio.Future[Reply]:
        """See `Announced.begin`."""
        return self._pool.begin(self)

    def drop(self) -> None:
        """See `Announced.drop`."""


class ThreadExecutor:
    """Runs calls in at most `size` threads of this process. A call that is under way cannot be ended early."""

    def __init__(self, size: int | None = None) -> None:
        self._pool: ThreadPool[ThreadCall, Reply] = ThreadPool(
            lambda work: _performed(work.call),
            size=size or (os.cpu_count() or 1) + 4,
            name="python-task",
            follow=_following,
        )

    def begin(self, call: Call) -> asyncio.Future[Reply]:
        """Run one call to its end."""
        return self.announce(call).begin()

    def announce(self, call: Call) -> ThreadCall:
        """See `CallExecutor.announce`."""
        return ThreadCall(self._pool, call)

    async def drive(self, call: Call, calls: NodeCalls) -> Reply:
        """The same for code that mostly waits for what it calls: it has a thread of its own.

        Cancelled, it has the code end where it waits for a call, and returns once it has ended.
        """
        thread = _EagerThread(call, calls)
        thread.start()
        try:
            return await asyncio.shield(thread.reply)
        except asyncio.CancelledError:
            thread.abandon()
            await asyncio.wait([thread.reply], timeout=_LAST_STEPS)
            if thread.reply.done():
                raise
            raise NotConfirmableError("code in a thread cannot be ended while it does not wait for a call") from None

    async def close(self) -> None:
        """Take no more calls; those under way end by themselves."""
        self._pool.close()


class _EagerThread:
    """One run of an eager task's code; the channel between its thread and the event loop."""

    def __init__(self, call: Call, calls: NodeCalls) -> None:
        self._loop = asyncio.get_running_loop()
        self.reply: asyncio.Future[Reply] = self._loop.create_future()
        self._call = call
        self._calls = calls
        self._asked: Waiting | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="eager-task", daemon=True).start()

    def abandon(self) -> None:
        if self._asked is not None:
            self._asked.abandon()

    def send(self, message: Asked | Withdrawn) -> None:
        self._loop.call_soon_threadsafe(self._receive, message)

    def attach(self, calls: Waiting) -> None:
        self._asked = calls

    def _receive(self, message: Asked | Withdrawn) -> None:
        if isinstance(message, Withdrawn):
            self._calls.withdraw(message.call)
        else:
            answered(self._calls, message).add_done_callback(self._pass_on)

    def _pass_on(self, answer: asyncio.Future[Answered]) -> None:
        if self._asked is not None and not answer.cancelled():
            self._asked.deliver(answer.result())

    def _run(self) -> None:
        reply = _performed(self._call, self)
        try:
            self._loop.call_soon_threadsafe(self._end, reply)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    def _end(self, reply: Reply) -> None:
        if not self.reply.done():
            self.reply.set_result(reply)


def _following(work: ThreadCall, reply: Reply) -> ThreadCall | None:
    follow, work.follow = work.follow, None
    return follow(reply) if follow is not None else None


def _performed(call: Call, channel: Channel | None = None) -> Reply:
    try:
        return perform(call, channel)
    except BaseException as error:  # the code was told to end, or ended by what nobody catches
        return Failed(code=type(error).__name__, message=f"the task's code ended: {type(error).__name__}")
