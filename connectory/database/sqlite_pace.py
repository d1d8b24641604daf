"""How long commits take, and whether an event loop may wait for them."""

import time
from collections.abc import Callable
from typing import Final

__all__ = ["Pace"]

_SHORT: Final = 0.001
"""For so many seconds, on an average, the event loop may wait for a commit."""
_MUCH: Final = 0.05
"""A single commit that takes so long is enough for a while."""
_WEIGHT: Final = 0.1
_COUNTS: Final = 0.004
"""A single commit counts for so many seconds at most: disks are slow now and then, and quick again."""
_PAUSE: Final = 1.0
"""After how many seconds it is tried once more."""


class Pace:
    """The pace of commits that the event loop makes."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._average = 0.0
        self._not_before = 0.0

    @property
    def is_good(self) -> bool:
        """Whether the next one may be made there."""
        return self._clock() >= self._not_before

    def note(self, took: float) -> None:
        """One has taken so many seconds."""
        self._average += _WEIGHT * (min(took, _COUNTS) - self._average)
        if self._average > _SHORT or took > _MUCH:
            self._average = 0.0
            self._not_before = self._clock() + _PAUSE
