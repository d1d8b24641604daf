"""When a watched job is asked about next. Nothing here waits, or reads a clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from connectory.connector.contract import AsyncConnector, Connector
from connectory.errors import ConnectorError

__all__ = ["FIRST", "LONGEST_TOLD", "SLOWEST", "Pace"]

FIRST: Final = 0.02
GROWTH: Final = 1.5
SLOWEST: Final = 5.0
"""A job of which nobody says how often to ask is asked about after this many seconds at the latest."""
LONGEST_TOLD: Final = 60.0
"""A job that says when to ask again is asked about after this many seconds at the latest."""
_FIRST_RETRY: Final = 0.1
_SLOWEST_RETRY: Final = 10.0
_SPREAD: Final = 0.1
_OF_LEASE: Final = 1 / 3


@dataclass(slots=True)
class Pace:
    """How fast one job is polled."""

    interval: float = 0.0
    """The latest wait that was of our own choice, in seconds."""

    def after_answer(
        self, told: timedelta | None, connector: Connector[Any], lease: float, random: Callable[[], float]
    ) -> float:
        """Seconds until the next poll.

        `told` is what the answer says of it; else the connector's `poll_every` counts; else waits grow. Jobs that were
        begun together are spread. A `lease` (in seconds; 0: none) is renewed in time.
        """
        every = connector.poll_every if isinstance(connector, AsyncConnector) else None
        if told is not None:
            wait = min(max(told.total_seconds(), FIRST), LONGEST_TOLD)
        elif every is not None:
            wait = self.interval = max(every.total_seconds(), FIRST) * (1.0 - _SPREAD * random())
        else:
            grown = min(max(self.interval * GROWTH, FIRST), SLOWEST)
            self.interval = grown
            wait = grown * (1.0 - _SPREAD * random())
        return min(wait, max(lease * _OF_LEASE, FIRST)) if lease else wait

    def after_trouble(self, error: ConnectorError) -> float:
        """Seconds until the job is asked about again."""
        self.interval = min(max(self.interval * 2.0, _FIRST_RETRY), _SLOWEST_RETRY)
        told = error.retry_after.total_seconds() if error.retry_after is not None else 0.0
        return min(max(self.interval, told), LONGEST_TOLD)
