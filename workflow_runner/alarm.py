"""Something that is to be done soon, and then once for all that asked for it."""

import asyncio
from collections.abc import Callable

__all__ = ["Alarm"]


class Alarm:
    """Calls `ring` once, so many seconds after it was set; set again before that, it changes nothing.

    Set `at_once` it rings as soon as the event loop comes to it.
    """

    def __init__(self, seconds: float, ring: Callable[[], None]) -> None:
        self._seconds = seconds
        self._ring = ring
        self._handle: asyncio.Handle | None = None
        self._is_near = False

    def set(self, *, at_once: bool = False) -> None:
        """Ring in a while."""
        if at_once and not self._is_near:
            self.clear()
            self._is_near = True
            self._handle = asyncio.get_running_loop().call_soon(self._rung)
        elif self._handle is None:
            self._handle = asyncio.get_running_loop().call_later(self._seconds, self._rung)

    def clear(self) -> None:
        """Do not ring."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
            self._is_near = False

    def _rung(self) -> None:
        self._handle = None
        self._is_near = False
        self._ring()
