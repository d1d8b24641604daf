"""Where calls wait for their turn: does what a lane decides."""

import asyncio
from bisect import bisect_left
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, Protocol

from connectory.connector.limits.lanes import Lane, Ticket
from connectory.errors import RateLimitedError

__all__ = ["LIMIT_REACHED", "WAIT_BOUNDS", "Gate", "Tally", "Timer", "Timers"]

WAIT_BOUNDS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper ends of the waiting time's buckets, in seconds; one more bucket takes the rest."""

LIMIT_REACHED = "LIMIT_REACHED"
"""The reason of a `RateLimitedError` that the service itself raises to protect an external system."""


class Timer(Protocol):
    """Something that will happen."""

    def cancel(self) -> None:
        """It will not."""


class Timers(Protocol):
    """The clock that never goes back, and what happens later by it; event loops are one."""

    def time(self) -> float:
        """Seconds since whenever."""

    def call_later(self, delay: float, callback: Callable[[], Any], /) -> Timer:
        """Call back in so many seconds."""


class Tally:
    """What is counted about the gates of one kind of one connector. Calls that need not wait are not counted."""

    __slots__ = ("buckets", "refused", "seconds", "waiting")

    def __init__(self) -> None:
        self.refused = 0
        self.waiting = 0
        self.seconds = 0.0
        """For how long calls waited, all together."""
        self.buckets = [0] * (len(WAIT_BOUNDS) + 1)

    def waited(self, seconds: float) -> None:
        """A call has its turn, was refused or went away, after so long."""
        self.waiting -= 1
        self.seconds += seconds
        self.buckets[bisect_left(WAIT_BOUNDS, seconds)] += 1


class Gate:
    """Lets calls through when their lane has room for them."""

    def __init__(self, name: str, lane: Lane, tally: Tally, timers: Timers) -> None:
        self._name = name
        self._lane = lane
        self._tally = tally
        self._timers = timers
        self._waiters: dict[Ticket, asyncio.Future[None]] = {}
        self._alarm: Timer | None = None

    def passes(self) -> bool:
        """Whether a call may go now, without waiting; it counts then."""
        return self._lane.go(self._timers.time())

    def refusal(self, project: str) -> RateLimitedError | None:
        """What a call that came now would be told at once, counted; None: it may go, or wait."""
        now = self._timers.time()
        ticket = self._lane.refused(project, now)
        if ticket is None:
            return None
        self._tally.refused += 1
        return self._error(ticket, now)

    async def enter(self, project: str) -> None:
        """Return when the call may go. One that cannot wait so long is a `RateLimitedError` that tells when to come."""
        now = self._timers.time()
        if self._lane.go(now):
            return
        ticket = self._lane.ticket(project, now)
        waiter = self._waiters[ticket] = asyncio.get_running_loop().create_future()
        self._tally.waiting += 1
        turned_away = self._lane.join(ticket, now)
        if turned_away is not None:
            self._refuse(turned_away, now)
        self.settle()
        try:
            await waiter
        except asyncio.CancelledError:
            self._lane.leave(ticket)
            if not waiter.cancelled() and waiter.exception() is None:
                self.give_back()
            raise
        finally:
            self._tally.waited(self._timers.time() - now)
            self._waiters.pop(ticket, None)

    def give_back(self) -> None:
        """A call that was let through did nothing."""
        self._lane.give_back()
        self.settle()

    def settle(self) -> None:
        """Something changed: let through and turn away whom the lane says."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        now = self._timers.time()
        decision = self._lane.decide(now)
        for ticket in decision.turned_away:
            self._refuse(ticket, now)
        gone = [ticket for ticket in decision.go if not self._let_through(ticket)]
        for _ in gone:
            self._lane.give_back()
        if gone:
            self.settle()
        elif decision.again_in is not None:
            self._alarm = self._timers.call_later(decision.again_in, self.settle)

    def _let_through(self, ticket: Ticket) -> bool:
        waiter = self._waiters.get(ticket)
        if waiter is None or waiter.done():
            return False
        waiter.set_result(None)
        return True

    def _refuse(self, ticket: Ticket, now: float) -> None:
        self._tally.refused += 1
        waiter = self._waiters.get(ticket)
        if waiter is not None and not waiter.done():
            waiter.set_exception(self._error(ticket, now))

    def _error(self, ticket: Ticket, now: float) -> RateLimitedError:
        return RateLimitedError(
            f"connector {self._name} {self._lane.why(now)}",
            reason=LIMIT_REACHED,
            retry_after=timedelta(seconds=ticket.retry_after),
        )
