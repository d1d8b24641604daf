"""An SQLite database in a file, or in memory."""

import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from connectory.database.contract import (
    Dialect,
    DuplicateRowError,
    MissingRowError,
    Row,
    Schema,
    Session,
    Transaction,
)
from connectory.database.sqlite_migrations import is_up_to_date, migrate
from connectory.database.sqlite_pace import Pace
from connectory.database.sqlite_shortcut import Shortcut
from connectory.database.sqlite_writer import Writer

__all__ = ["SqliteDatabase"]

T = TypeVar("T")


class SqliteDatabase:
    """One file (WAL, every commit durable), one connection, one thread.

    `path` ":memory:" keeps everything in memory. Transactions run on the thread from their beginning to their end.
    `is_private`: only the user who runs this may read the file. `called`: a word for it in messages. `log_pages`: when
    SQLite's log has so many pages, they are brought into the file and it begins anew. While it becomes longer, commits
    take longer, so where they touch the same few pages again and again, a short one is better.
    """

    dialect: Final[Dialect] = "sqlite"

    def __init__(
        self,
        path: str | Path,
        *,
        busy_timeout: float = 5.0,
        is_private: bool = False,
        called: str = "store",
        log_pages: int = 1000,
    ) -> None:
        self.where = str(path)
        self.shown = f"the {called} {self.where}"
        self._file = self.where if self.where == ":memory:" else os.path.abspath(self.where)  # wherever we go
        self._busy_timeout = busy_timeout
        self._is_private = is_private
        self._log_pages = log_pages
        self._writer = Writer(self._connect, self.shown)
        self._pace = Pace()
        self._shortcut = Shortcut(lambda: self._connect(busy_timeout=0.0, for_all_threads=True))

    async def __aenter__(self) -> Self:
        self._writer.start()
        try:
            await self._writer.run(lambda connection: None)
        except BaseException:
            await self._writer.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shortcut.close()
        await self._writer.stop()

    async def rows(self, statement: str, /, **values: Any) -> Sequence[Row]:
        return await self._writer.run(lambda connection: _rows(connection, statement, values))

    async def change(self, statement: str, /, **values: Any) -> int:
        changed = await self._writer.run(lambda connection: _change(connection, statement, values))
        self._shortcut.begin_anew()
        return changed

    async def change_alone(self, statement: str, /, **values: Any) -> int:
        """`change` for a caller who is alone, and waits for nothing else meanwhile: at once, where that takes no time.

        The statement must be one that finds out by itself that it was carried out already.
        """
        changed = None
        if self._pace.is_good:
            begun = time.perf_counter()
            changed = self.change_at_once(statement, values)
            self._pace.note(time.perf_counter() - begun)
        return changed if changed is not None else await self.change(statement, **values)

    def change_at_once(self, statement: str, values: Mapping[str, Any], /) -> int | None:
        """The same in any thread, however long it takes; None: it has to wait, or fails, so `change` is to do it."""
        if not self._has_shortcut:
            return None
        return self._shortcut.change(statement, {**values, "now": time.time()})

    @property
    def changes_at_once(self) -> bool:
        """Whether `change_at_once` is worth trying now."""
        return self._has_shortcut and self._shortcut.is_open

    @property
    def _has_shortcut(self) -> bool:
        return self._writer.is_idle and self.where != ":memory:"

    async def change_many(self, statement: str, values: Sequence[Mapping[str, Any]], /) -> None:
        await self._writer.run_all(lambda connection: _change_many(connection, statement, values))

    async def change_each(self, statement: str, values: Sequence[Mapping[str, Any]], /) -> Sequence[bool]:
        return await self._writer.run_all(lambda connection: _change_each(connection, statement, values))

    async def run(self, transaction: Transaction[T], /) -> T:
        return await self._writer.run_all(lambda connection: _driven(transaction, _SqliteSession(connection)))

    async def migrate(self, schema: Schema, /) -> None:
        if not await self._writer.run(lambda connection: is_up_to_date(connection, schema)):
            await self._writer.run_all(lambda connection: migrate(connection, schema, self.shown))

    def _connect(self, busy_timeout: float | None = None, *, for_all_threads: bool = False) -> sqlite3.Connection:
        if self.where != ":memory:":
            _make_room(Path(self._file), is_private=self._is_private)
        timeout = self._busy_timeout if busy_timeout is None else busy_timeout
        connection = sqlite3.connect(
            self._file,
            timeout=timeout,
            isolation_level=None,
            cached_statements=64,
            check_same_thread=not for_all_threads,
        )
        try:
            self._use_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {self._log_pages}")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.create_function("store_now", 0, time.time)
        except BaseException:
            connection.close()
            raise
        return connection

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        """Turn WAL on; while another process does the same, SQLite answers "locked" without waiting."""
        until = time.monotonic() + self._busy_timeout
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
            else:
                return
            time.sleep(0.01)


def _make_room(path: Path, *, is_private: bool) -> None:
    """The folder of the file; and the file itself, when others may not read it."""
    path.parent.mkdir(mode=0o700 if is_private else 0o777, parents=True, exist_ok=True)
    if is_private:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


class _SqliteSession:
    """Statements of a transaction; nothing here ever waits."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def rows(self, statement: str, /, **values: Any) -> Sequence[Row]:
        return _rows(self._connection, statement, values)

    async def change(self, statement: str, /, **values: Any) -> int:
        return _change(self._connection, statement, values)

    async def change_many(self, statement: str, values: Sequence[Mapping[str, Any]], /) -> None:
        _change_many(self._connection, statement, values)

    async def change_each(self, statement: str, values: Sequence[Mapping[str, Any]], /) -> Sequence[bool]:
        return _change_each(self._connection, statement, values)


def _driven(transaction: Transaction[T], session: Session) -> T:
    """Run a transaction to its end on this thread."""
    running = transaction(session)
    try:
        running.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    running.close()
    raise RuntimeError("a transaction must not await anything but its session")


def _rows(connection: sqlite3.Connection, statement: str, values: Mapping[str, Any]) -> Sequence[Row]:
    try:
        return connection.execute(statement, {**values, "now": time.time()}).fetchall()
    except sqlite3.IntegrityError as error:
        raise _refused(error) from error


def _change(connection: sqlite3.Connection, statement: str, values: Mapping[str, Any]) -> int:
    try:
        return connection.execute(statement, {**values, "now": time.time()}).rowcount
    except sqlite3.IntegrityError as error:
        raise _refused(error) from error


def _change_many(connection: sqlite3.Connection, statement: str, values: Sequence[Mapping[str, Any]]) -> None:
    try:
        connection.executemany(statement, values)
    except sqlite3.IntegrityError as error:
        raise _refused(error) from error


def _change_each(connection: sqlite3.Connection, statement: str, values: Sequence[Mapping[str, Any]]) -> Sequence[bool]:
    """All at once, which is quicker; when not all of them changed something, once more and one by one."""
    now = time.time()
    connection.execute("SAVEPOINT each")
    try:
        changed = connection.executemany(statement, [{**each, "now": now} for each in values]).rowcount
        if changed == len(values):
            return [True] * changed
        connection.execute("ROLLBACK TO each")
        return [_change(connection, statement, each) > 0 for each in values]
    except sqlite3.IntegrityError as error:
        raise _refused(error) from error
    finally:
        if connection.in_transaction:
            connection.execute("RELEASE each")


def _refused(error: sqlite3.IntegrityError) -> Exception:
    match error.sqlite_errorname:
        case "SQLITE_CONSTRAINT_PRIMARYKEY" | "SQLITE_CONSTRAINT_UNIQUE":
            return DuplicateRowError(str(error))
        case "SQLITE_CONSTRAINT_FOREIGNKEY":
            return MissingRowError(str(error))
        case _:
            return error
