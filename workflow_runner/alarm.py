"""Something that is to be done soon, and then once for all that asked for it."""

import asyncio
from collections.abc import Callable

__all__ = ["Alarm"]


class Alarm:
    """Calls `ring` once, so many seconds after it was set; set again before that, it changes nothing."""

    def __init__(self, seconds: float, ring: Callable[[], None]) -> None:
        self._seconds = seconds
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None

    def set(self) -> None:
        """Ring in a while."""
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_later(self._seconds, self._rung)

    def clear(self) -> None:
        """Do not ring."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _rung(self) -> None:
        self._handle = None
        self._ring()
