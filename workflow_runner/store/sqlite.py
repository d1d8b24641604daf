"""The store in an SQLite file, or in memory."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from connectory.database.sqlite import SqliteDatabase
from workflow_runner.store.contract import LogRecord
from workflow_runner.store.notices import Notices
from workflow_runner.store.sql_store import SqlStore
from workflow_runner.store.sqlite_notices import SqliteNotices

__all__ = ["SqliteStore"]


_LOG_PAGES: Final = 400
"""Records are added at the end of a table and of its index: many commits have hardly more than two pages together."""
_ALONE: Final = 4
"""When so many records in a row were of one execution, no other is likely to come meanwhile and share a commit."""


class SqliteStore(SqlStore):
    """A store in one file, written by one thread; several writes that wait together cost one commit.

    `path` ":memory:" keeps everything in memory.
    """

    def __init__(self, path: str | Path, *, busy_timeout: float = 5.0, owner: str = "") -> None:
        database = SqliteDatabase(path, busy_timeout=busy_timeout, log_pages=_LOG_PAGES)
        self._file = database
        self._latest, self._in_a_row = "", 0
        self._shared = SqliteNotices(database) if database.where != ":memory:" else None
        super().__init__(database, self._shared or Notices(), owner)

    async def _open(self, stack: AsyncExitStack) -> None:
        await super()._open(stack)
        if self._shared is not None:
            await stack.enter_async_context(self._shared)

    def appends_at_once(self, execution_id: str) -> bool:
        return self._is_alone(execution_id) and self._file.changes_at_once

    def append_at_once(self, execution_id: str, number: int, record: LogRecord) -> bool:
        values = self._event_values(execution_id, number, record)
        return bool(self._file.change_at_once(self._sql["append_event"], values))

    async def _append_one(self, execution_id: str, values: Mapping[str, Any]) -> int:
        self._in_a_row = self._in_a_row + 1 if execution_id == self._latest else 0
        self._latest = execution_id
        if self._is_alone(execution_id):
            return await self._file.change_alone(self._sql["append_event"], **values)
        return await super()._append_one(execution_id, values)

    def _is_alone(self, execution_id: str) -> bool:
        return execution_id == self._latest and self._in_a_row >= _ALONE
