"""The store in an SQLite file, or in memory."""

from pathlib import Path

from workflow_runner.store.database.sqlite import SqliteDatabase
from workflow_runner.store.notices import Notices
from workflow_runner.store.sql_store import SqlStore

__all__ = ["SqliteStore"]


class SqliteStore(SqlStore):
    """A store in one file, written by one thread; several writes that wait together cost one commit.

    `path` ":memory:" keeps everything in memory. Notices reach this process only.
    """

    def __init__(self, path: str | Path, *, busy_timeout: float = 5.0, owner: str = "") -> None:
        super().__init__(SqliteDatabase(path, busy_timeout=busy_timeout), Notices(), owner)
