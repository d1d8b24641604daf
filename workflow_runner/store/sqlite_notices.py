"""Notices through a table of an SQLite file, which every process that shares the file hears."""

import asyncio
import logging
import sqlite3
from types import TracebackType
from typing import Self

from connectory.database.contract import Session
from connectory.database.sqlite import SqliteDatabase
from workflow_runner.store.notices import Notices

__all__ = ["SqliteNotices"]

_log = logging.getLogger(__name__)
_INSERT = "INSERT INTO notices (topic) VALUES (:topic)"
_FORGET = "DELETE FROM notices WHERE number <= (SELECT max(number) FROM notices) - 1000"
_VERSION = "PRAGMA data_version"
_LAST = "SELECT coalesce(max(number), 0) FROM notices"
_SINCE = "SELECT number, topic FROM notices WHERE number > ? ORDER BY number"
_WATCH_EVERY = 0.2
_WHILE_WATCHING, _WHILE_BLIND = 5.0, 0.5


class SqliteNotices(Notices):
    """Asks the file whether anybody has written, which costs microseconds, and reads what is new only then."""

    def __init__(self, database: SqliteDatabase) -> None:
        super().__init__(_WHILE_BLIND)
        self._database = database
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        connection = sqlite3.connect(self._database.where, timeout=0, isolation_level=None)
        try:
            seen = connection.execute(_LAST).fetchone()[0]
        except BaseException:
            connection.close()
            raise
        self._task = asyncio.create_task(self._watch(connection, seen), name="store notices")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def publish(self, topic: str) -> None:
        self.tell(topic)

        async def transaction(session: Session) -> None:
            await session.change(_INSERT, topic=topic)
            await session.change(_FORGET)

        await self._database.run(transaction)

    async def _watch(self, connection: sqlite3.Connection, seen: int) -> None:
        version = None
        try:
            while True:
                try:
                    present = connection.execute(_VERSION).fetchone()[0]
                    if present != version:
                        seen = self._read(connection, seen)
                        version = present
                    self.look_every = _WHILE_WATCHING
                except sqlite3.Error as error:
                    _log.debug("no notices of what others write into %s: %s", self._database.where, error)
                    self.look_every = _WHILE_BLIND
                await asyncio.sleep(_WATCH_EVERY)
        finally:
            connection.close()

    def _read(self, connection: sqlite3.Connection, seen: int) -> int:
        rows = connection.execute(_SINCE, (seen,)).fetchall()
        if rows and rows[0][0] > seen + 1:
            self.tell_all()  # what came before was dropped already
        for _, topic in rows:
            self.tell(topic)
        return rows[-1][0] if rows else seen
