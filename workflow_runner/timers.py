"""Times that the engine waits for, on the event loop's steady clock."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from workflow_runner.engine.commands import SetTimer

__all__ = ["Timers"]

_GRACE: Final = 5.0
"""So many seconds after a restart, at least, an attempt may report that it has begun to run."""


class Timers:
    """Calls back when a timer's time has come.

    The wall clock is read once, when a timer is set; the wait is measured by the steady clock and never longer than
    the timer's own length. So a wall clock that is set back does not make anything wait for it.
    """

    def __init__(self, fire: Callable[[SetTimer], None], wall_clock: Callable[[], float]) -> None:
        self._fire = fire
        self._wall_clock = wall_clock
        self._waiting: dict[tuple[str, str, int], asyncio.TimerHandle] = {}

    def set(self, timer: SetTimer, *, resumed: bool = False) -> None:
        """Wait for this time; the same timer set again counts once.

        When the execution was `resumed`, what runs outside may have begun while nobody looked: it gets some time to say
        so.
        """
        name = (timer.kind, timer.node, timer.attempt)
        if resumed and timer.kind == "queue":
            at, after = max(timer.at, self._wall_clock() + _GRACE), max(timer.after, _GRACE)
            timer = msgspec.structs.replace(timer, at=at, after=after)
        self._forget(name)
        delay = max(0.0, min(timer.at - self._wall_clock(), timer.after))
        self._waiting[name] = asyncio.get_running_loop().call_later(delay, self._ring, name, timer)

    def clear(self) -> None:
        """Wait for nothing any more."""
        for name in list(self._waiting):
            self._forget(name)

    def _forget(self, name: tuple[str, str, int]) -> None:
        handle = self._waiting.pop(name, None)
        if handle is not None:
            handle.cancel()

    def _ring(self, name: tuple[str, str, int], timer: SetTimer) -> None:
        self._waiting.pop(name, None)
        self._fire(timer)
