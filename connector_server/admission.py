"""How many calls a process works on at once. Who comes when it is full is told to come again, before anything is read.

A call that is turned away costs a hundredth of one that is let in, so callers hear it at once however full the server
is. Health, reflection and the services for operators are never turned away.
"""

import random
import sys
from datetime import timedelta
from typing import Final, Self

from connectory.errors import RateLimitedError

__all__ = ["OVERLOADED", "Admission"]

OVERLOADED: Final = "OVERLOADED"
"""The reason of the error that callers get who come when the process is full."""

_SOONEST: Final = 0.5
_SPREAD: Final = 1.0


class Admission:
    """Counts the calls that are worked on. Written by the event loop only.

    Whoever lets a call in adds one to `in_flight`, and takes it away when the call has ended; the call path does so
    itself, because a method call would cost more than the addition.
    """

    __slots__ = ("in_flight", "most", "refused")

    def __init__(self, most: int) -> None:
        self.most = most
        """From so many on, further calls are turned away."""
        self.in_flight = 0
        self.refused = 0
        """How many were turned away since the process began."""

    @classmethod
    def unbounded(cls) -> Self:
        """For services that answer however full the server is."""
        return cls(sys.maxsize)

    def refusal(self) -> RateLimitedError:
        """The error for one more call, counted; callers are told different times, so as not to come back together."""
        self.refused += 1
        return RateLimitedError(
            f"the server works on {self.in_flight} calls already, as many as it may (max_in_flight)",
            reason=OVERLOADED,
            retry_after=timedelta(seconds=_SOONEST + _SPREAD * random.random()),
        )
