"""The store in an SQLite file, or in memory."""

from contextlib import AsyncExitStack
from pathlib import Path

from connectory.database.sqlite import SqliteDatabase
from workflow_runner.store.notices import Notices
from workflow_runner.store.sql_store import SqlStore
from workflow_runner.store.sqlite_notices import SqliteNotices

__all__ = ["SqliteStore"]


class SqliteStore(SqlStore):
    """A store in one file, written by one thread; several writes that wait together cost one commit.

    `path` ":memory:" keeps everything in memory.
    """

    def __init__(self, path: str | Path, *, busy_timeout: float = 5.0, owner: str = "") -> None:
        database = SqliteDatabase(path, busy_timeout=busy_timeout)
        self._shared = SqliteNotices(database) if database.where != ":memory:" else None
        super().__init__(database, self._shared or Notices(), owner)

    async def _open(self, stack: AsyncExitStack) -> None:
        await super()._open(stack)
        if self._shared is not None:
            await stack.enter_async_context(self._shared)
