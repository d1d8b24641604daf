"""A ledger in one SQLite file, shared by the processes of one machine; creates happen once over crashes, too."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from connectory.connector.ledger.database import Database
from connectory.connector.ledger.durable import PATIENCE, DurableLedger
from connectory.connector.ledger.liveness import Owner
from connectory.connector.ledger.sql import WriteError

__all__ = ["SqliteLedger"]

T = TypeVar("T")
Rows = Sequence[Sequence[Any]]


class SqliteLedger(DurableLedger):
    """Creates by key in an SQLite file (WAL, every commit durable). Needs POSIX, and the file on a local disk.

    Several processes may share the file. Whether one of them is gone is told by a file lock, which ends with it.
    """

    def __init__(self, path: str | Path, *, keep: timedelta = timedelta(days=14), patience: float = PATIENCE) -> None:
        super().__init__(_Sqlite(Path(path)), keep=keep, patience=patience)


class _Sqlite:
    """`Sql` over one file."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._database = Database(path)
        self._owner: Owner | None = None

    async def run(self, statement: str, **values: Any) -> Rows:
        return await self._do(lambda connection: _rows(connection, statement, values))

    async def first(self, statement: str, **values: Any) -> Sequence[Any] | None:
        rows = await self._do(lambda connection: _rows(connection, statement, values))
        return rows[0] if rows else None

    async def change(self, statement: str, **values: Any) -> int:
        def perform(connection: sqlite3.Connection) -> int:
            values["now"] = time.time()
            return connection.execute(statement, values).rowcount

        try:
            return await self._database.do(perform)
        except (sqlite3.Error, OSError) as error:
            raise self._unwritable(error) from error

    async def run_many(self, work: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        def perform(connection: sqlite3.Connection) -> None:
            for statement, values in work:
                _rows(connection, statement, dict(values))

        await self._do(perform)

    async def owner(self) -> str:
        return self._own().name

    async def is_alive(self, owner: str) -> bool:
        return self._own().is_alive(owner)

    async def keep_alive(self) -> None:
        return

    async def wait(self, key: str, timeout: float) -> None:
        await asyncio.sleep(timeout)

    async def tell(self, key: str) -> None:
        return

    async def aclose(self) -> None:
        await self._database.aclose()
        if self._owner is not None:
            self._owner.close()
            self._owner = None

    def _own(self) -> Owner:
        if self._owner is None:
            try:
                self._owner = Owner(self._path.with_name(self._path.name + ".owners"))
            except OSError as error:
                raise self._unwritable(error) from error
        return self._owner

    async def _do(self, perform: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._database.do(perform)
        except (sqlite3.Error, OSError) as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: Exception) -> WriteError:
        return WriteError(f"the ledger {self.name} cannot be written ({error})")


def _rows(connection: sqlite3.Connection, statement: str, values: dict[str, Any]) -> Rows:
    values["now"] = time.time()
    return connection.execute(statement, values).fetchall()
