"""Leases of jobs: every poll renews one, and many are written to the ledger together."""

import asyncio
import logging
from time import monotonic
from typing import Final

from connectory.connector.contract import Phase
from connectory.connector.ledger import Ledger
from connectory.connector.ledger.records import Poll
from connectory.errors import UnavailableError

__all__ = ["ENDED", "Leases"]

EVERY: Final = 2.0
"""After this many seconds at the latest the ledger knows of a phase that changed."""
ENDED: Final = frozenset(int(phase) for phase in Phase if phase.is_terminal)
"""The phases in which a job never changes again."""
_log = logging.getLogger("connectory.connector")


class _Written:
    """What the ledger was told of a job."""

    __slots__ = ("at", "phase")

    def __init__(self, phase: int) -> None:
        self.at = monotonic()
        self.phase = phase


class Leases:
    """Takes note of polls at the price of a dictionary entry; writes those that tell something new.

    New is a phase that changed, an end, and that a quarter of the lease has passed since it was last renewed.
    """

    def __init__(self, ledger: Ledger, *, every: float = EVERY) -> None:
        self._ledger = ledger
        self._every = every
        self._polled: dict[bytes, tuple[int, float]] = {}
        self._deleted: set[bytes] = set()
        self._written: dict[bytes, _Written] = {}
        self._forget_at = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def polled(self, handle: bytes, phase: int, lease: float) -> None:
        """A job was found in this phase; `lease` is in seconds."""
        self._polled[handle] = (phase, lease)
        if self._alarm is None:
            self._set_alarm(min(self._every, lease / 8) if lease else self._every)

    def deleted(self, handle: bytes) -> None:
        """A connector confirmed that a job is gone."""
        self._deleted.add(handle)
        if self._alarm is None:
            self._set_alarm(self._every)

    async def flush(self) -> None:
        """Write what there is to write. While the ledger cannot be written it is an `UnavailableError`."""
        polled, self._polled = self._polled, {}
        deleted, self._deleted = self._deleted, set()
        polls = [Poll(handle, 0, ended=True, deleted=True) for handle in deleted]
        for handle, (phase, lease) in polled.items():
            if handle not in deleted and self._is_new(handle, phase, lease):
                polls.append(Poll(handle, phase, ended=phase in ENDED, deleted=False, lease=lease))
        if not polls:
            return
        try:
            await self._ledger.note(polls)
        except BaseException:
            self._polled = {**polled, **self._polled}
            self._deleted |= deleted
            raise
        self._remember(polls)

    async def aclose(self) -> None:
        """Write what there is to write, for the last time."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._writing is not None:
            await asyncio.wait([self._writing])
        try:
            await self.flush()
        except UnavailableError as error:
            _log.error("polls of jobs could not be noted: %s", error)

    def _is_new(self, handle: bytes, phase: int, lease: float) -> bool:
        written = self._written.get(handle)
        return written is None or written.phase != phase or (0 < lease / 4 < monotonic() - written.at)

    def _remember(self, polls: list[Poll]) -> None:
        now = monotonic()
        self._written.update((poll.handle, _Written(poll.phase)) for poll in polls)
        if now > self._forget_at:
            self._forget_at = now + 3600.0
            self._written = {handle: one for handle, one in self._written.items() if now - one.at < 3600.0}

    def _set_alarm(self, seconds: float) -> None:
        self._alarm = asyncio.get_running_loop().call_later(seconds, self._write)

    def _write(self) -> None:
        self._alarm = None
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._flushed())
        else:
            self._set_alarm(self._every)

    async def _flushed(self) -> None:
        try:
            await self.flush()
        except UnavailableError as error:
            _log.error("polls of jobs could not be noted yet: %s", error)
            if self._alarm is None:
                self._set_alarm(self._every)
