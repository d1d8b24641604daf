"""A short commit made where it is asked for, such as on the event loop: it spares two hand-overs between threads."""

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

__all__ = ["Shortcut"]

_SHORT: Final = 0.001
"""For so many seconds, on an average, the event loop may wait for a commit."""
_MUCH: Final = 0.05
"""A single commit that takes so long ends the shortcut for a while."""
_WEIGHT: Final = 0.1
_COUNTS: Final = 0.004
"""A single commit counts for so many seconds at most: disks are slow now and then, and quick again."""
_PAUSE: Final = 1.0
"""After how many seconds it is tried once more."""
_CHECKPOINTS: Final = 128
"""After so many commits the thread makes the next one, and brings what the log of SQLite holds into the file."""


class Shortcut:
    """A connection for single statements that change something, from any thread.

    It never waits for another connection or thread, and makes no checkpoints; while commits take long it does nothing.
    """

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._in_use = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._average = 0.0
        self._not_before = 0.0
        self._made = 0

    @property
    def is_open(self) -> bool:
        """Whether it is going to try."""
        return self._clock() >= self._not_before and (self._made + 1) % _CHECKPOINTS != 0

    def change(self, statement: str, values: Mapping[str, Any]) -> int | None:
        """How many rows the statement has changed, committed; None: it has changed nothing, and the thread is to do it.

        The statement must be one that finds out by itself that it was carried out already.
        """
        if not self._in_use.acquire(blocking=False):
            return None
        try:
            return self._change(statement, values)
        finally:
            self._in_use.release()

    def _change(self, statement: str, values: Mapping[str, Any]) -> int | None:
        self._made += 1
        begun = self._clock()
        if begun < self._not_before or self._made % _CHECKPOINTS == 0:
            return None
        try:
            connection = self._connection or self._open()
            changed = connection.execute(statement, values).rowcount
        except (sqlite3.Error, OSError):  # of which the thread says what it is
            self._pause()
            return None
        took = self._clock() - begun
        self._average += _WEIGHT * (min(took, _COUNTS) - self._average)
        if self._average > _SHORT or took > _MUCH:
            self._pause()
        return changed

    def close(self) -> None:
        """Close the connection."""
        with self._in_use, suppress(sqlite3.Error):
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def _open(self) -> sqlite3.Connection:
        self._connection = self._connect()
        self._connection.execute("PRAGMA wal_autocheckpoint = 0")
        return self._connection

    def _pause(self) -> None:
        self._average = 0.0
        self._not_before = self._clock() + _PAUSE
