"""Times that have to come, and the clock that tells when they have."""

import heapq
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final, Protocol, TypeVar

from workflow_runner.engine.commands import SetTimer

__all__ = ["Clock", "SteadyClock", "Timers"]

T = TypeVar("T")

_LONGEST_WAIT: Final = 3600.0
"""The system takes no wait of any length; waking up now and then harms nobody."""


class Clock(Protocol):
    """Tells the time, in seconds since 1970, and waits."""

    def now(self) -> float:
        """The time."""
        ...

    def wait(self, inbox: "SimpleQueue[T]", seconds: float | None) -> T | None:
        """What comes into the inbox within this time; None: nothing, or it is worth a look at the time."""
        ...


class SteadyClock:
    """The time of this machine as it was at the beginning, and what has really passed since then."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """The time."""
        return self._offset + time.monotonic()

    def wait(self, inbox: "SimpleQueue[T]", seconds: float | None) -> T | None:
        """What comes into the inbox within this time."""
        try:
            return inbox.get(timeout=_LONGEST_WAIT if seconds is None else min(seconds, _LONGEST_WAIT))
        except Empty:
            return None


class Timers:
    """Timers that were set; `awaited` says whether one still has a meaning."""

    def __init__(self, awaited: Callable[[SetTimer], bool]) -> None:
        self._awaited = awaited
        self._heap: list[tuple[float, int, SetTimer]] = []
        self._count = 0

    def set(self, timer: SetTimer) -> None:
        """Remember it."""
        self._count += 1
        heapq.heappush(self._heap, (timer.at, self._count, timer))

    def due(self, now: float) -> list[SetTimer]:
        """Those whose time has come, which are forgotten."""
        found = []
        while (at := self.next_at()) is not None and at <= now:
            found.append(heapq.heappop(self._heap)[2])
        return found

    def next_at(self) -> float | None:
        """When the next time comes; None: nothing is waited for."""
        while self._heap and not self._awaited(self._heap[0][2]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
