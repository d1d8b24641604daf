"""A short commit made where it is asked for, such as on the event loop: it spares two hand-overs between threads."""

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

__all__ = ["Shortcut"]

_PAUSE: Final = 1.0
"""For so many seconds nothing is tried when something went wrong, such as that another process had the lock."""
_CHECKPOINTS: Final = 127
"""So many commits after one of the thread it makes the next one, and brings what SQLite's log holds into the file."""


class Shortcut:
    """A connection for single statements that change something, from any thread.

    It never waits for another connection or thread, and makes no checkpoints.
    """

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._in_use = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._not_before = 0.0
        self._made = 0

    @property
    def is_open(self) -> bool:
        """Whether it is going to try."""
        return self._clock() >= self._not_before and self._made < _CHECKPOINTS

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
        if not self.is_open:
            return None
        self._made += 1
        try:
            connection = self._connection or self._open()
            return connection.execute(statement, values).rowcount
        except (sqlite3.Error, OSError):  # of which the thread says what it is
            self._not_before = self._clock() + _PAUSE
            return None

    def begin_anew(self) -> None:
        """The thread has made a commit."""
        self._made = 0

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
