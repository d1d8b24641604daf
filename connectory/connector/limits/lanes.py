"""Who may go now, who waits, and who is turned away. Nothing here waits, or reads a clock."""

from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Final

from connectory.connector.limits.buckets import TokenBucket
from connectory.connector.limits.declared import Limits
from connectory.connector.limits.fairness import FairQueue
from connectory.connector.limits.slots import Slots

__all__ = ["Decision", "Lane", "Pause", "Ticket"]

_SOONEST: Final = 0.1


class Pause:
    """Until when an external system wants to be left alone by a credential."""

    __slots__ = ("until",)

    def __init__(self) -> None:
        self.until = 0.0


@dataclass(eq=False, slots=True)
class Ticket:
    """A call that has to wait."""

    project: str
    until: float
    """When it is turned away if it had no turn before."""
    retry_after: float = 0.0
    """In how many seconds it should come again, once it is turned away."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of those who wait."""

    go: list[Ticket] = field(default_factory=list)
    turned_away: list[Ticket] = field(default_factory=list)
    again_in: float | None = None
    """Seconds after which to decide again; None: when something happens."""


class Lane:
    """Calls of one kind that share a credential."""

    def __init__(
        self, *, pause: Pause, bucket: TokenBucket | None, slots: Slots | None, wait: float, queue: int
    ) -> None:
        self._pause = pause
        self._bucket = bucket
        self._slots = slots
        self._wait = wait
        self._queue = queue
        self._waiting: FairQueue[Ticket] = FairQueue()

    def change(self, rate: float | None, burst: int | None, limits: Limits, now: float) -> None:
        """Go by other numbers from now on. Who waits keeps the time it was promised, and is to be decided about."""
        self._wait, self._queue = limits.wait, limits.queue
        if rate is None:
            self._bucket = None
        elif self._bucket is None:
            self._bucket = TokenBucket.empty(rate, burst, now)
        else:
            self._bucket.change(rate, burst, now)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def ticket(self, project: str, now: float) -> Ticket:
        """For a call that could not go."""
        return Ticket(project, now + self._wait)

    def go(self, now: float) -> bool:
        """Whether a call may go now without waiting; it counts then."""
        if self._waiting or self._delay(now) > 0:
            return False
        self._count(now)
        return True

    def refused(self, project: str, now: float) -> Ticket | None:
        """What a call that came now would be turned away with at once; None: it may go, or wait."""
        if not self._waiting and self._delay(now) <= 0:
            return None
        ticket = self.ticket(project, now)
        expected = self._too_long(ticket, now)
        return None if expected is None else self._turned_away(ticket, expected)

    def join(self, ticket: Ticket, now: float) -> Ticket | None:
        """Let a ticket wait; answers the one that is turned away for it, which may be itself."""
        expected = self._too_long(ticket, now)
        if expected is not None:
            return self._turned_away(ticket, expected)
        yielding = None
        if len(self._waiting) >= self._queue and (yielding := self._waiting.to_yield(ticket.project)) is not None:
            self._waiting.discard(yielding.project, yielding)
        self._waiting.add(ticket.project, ticket)
        return None if yielding is None else self._turned_away(yielding, self._expected(yielding.project, now))

    def leave(self, ticket: Ticket) -> None:
        """A ticket waits no more."""
        self._waiting.discard(ticket.project, ticket)

    def give_back(self) -> None:
        """A call that went did nothing."""
        if self._slots is not None:
            self._slots.release()

    def decide(self, now: float) -> Decision:
        """Who goes and who is turned away, now."""
        decision = Decision()
        while self._waiting and self._delay(now) <= 0:
            self._count(now)
            decision.go.append(self._waiting.pop())
        if not self._waiting:
            return decision
        delay = self._delay(now)
        soonest = now + delay if isfinite(delay) else now
        late = self._waiting.drop(lambda ticket: ticket.until <= now or ticket.until < soonest)
        decision.turned_away.extend(self._turned_away(ticket, delay) for ticket in late)
        until = min((ticket.until for ticket in self._waiting.first()), default=None)
        again_in = None if until is None else min(delay, until - now)
        return Decision(decision.go, decision.turned_away, again_in)

    def why(self, now: float) -> str:
        """What calls wait for, as the end of a sentence."""
        if self._pause.until > now:
            return "is not called, because the external system asked to be left alone for some time"
        if self._slots is not None and not self._slots.has_room(now):
            return f"may have {self._slots.limit} open jobs, and has them"
        rate = "" if self._bucket is None else f"{self._bucket.rate:g} "
        return f"may be called {rate}times a second, and is"

    def is_idle(self, now: float) -> bool:
        """Whether a new one would do as well."""
        fresh = self._bucket is None or self._bucket.is_full(now)
        return fresh and not self._waiting and self._pause.until <= now and not (self._slots and self._slots.taken)

    def _delay(self, now: float) -> float:
        """Seconds until the next may go; infinite: not before a job ends."""
        if self._slots is not None and not self._slots.has_room(now):
            return inf
        bucket = 0.0 if self._bucket is None else self._bucket.delay(now)
        return max(bucket, self._pause.until - now)

    def _too_long(self, ticket: Ticket, now: float) -> float | None:
        """How long a ticket would have to wait that may not wait so long, or finds no place; None: it may wait."""
        expected = self._expected(ticket.project, now)
        if isfinite(expected) and now + expected > ticket.until:
            return expected
        is_full = len(self._waiting) >= self._queue
        return expected if is_full and self._waiting.to_yield(ticket.project) is None else None

    def _expected(self, project: str, now: float) -> float:
        ahead = 0.0 if self._bucket is None else self._waiting.ahead_of(project) / self._bucket.rate
        return self._delay(now) + ahead

    def _count(self, now: float) -> None:
        if self._bucket is not None:
            self._bucket.take(now)
        if self._slots is not None:
            self._slots.reserve()

    def _turned_away(self, ticket: Ticket, expected: float) -> Ticket:
        ticket.retry_after = max(self._wait if not isfinite(expected) else expected, _SOONEST)
        return ticket
