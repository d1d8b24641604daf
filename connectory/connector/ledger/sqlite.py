"""A ledger in one SQLite file, shared by the processes of one machine; creates happen once over crashes, too."""

import asyncio
from datetime import timedelta
from pathlib import Path

from connectory.connector.ledger.durable import PATIENCE, DurableLedger
from connectory.connector.ledger.liveness import Owner
from connectory.connector.ledger.sql import ASK_AGAIN, Sql, WriteError
from connectory.database.sqlite import SqliteDatabase

__all__ = ["SqliteLedger"]


class SqliteLedger(DurableLedger):
    """Creates by key in an SQLite file (WAL, every commit durable). Needs POSIX, and the file on a local disk.

    Several processes may share the file. Whether one of them is gone is told by a file lock, which ends with it.
    """

    def __init__(self, path: str | Path, *, keep: timedelta = timedelta(days=14), patience: float = PATIENCE) -> None:
        super().__init__(_Sqlite(Path(path)), keep=keep, patience=patience)


class _Sqlite(Sql):
    """One file, and a locked one beside it for each process that writes into it."""

    def __init__(self, path: Path) -> None:
        super().__init__(SqliteDatabase(path, is_private=True, called="ledger"))
        self._owners = path.with_name(path.name + ".owners")
        self._owner: Owner | None = None

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
        await super().aclose()
        if self._owner is not None:
            self._owner.close()
            self._owner = None

    def _own(self) -> Owner:
        if self._owner is None:
            try:
                self._owner = Owner(self._owners)
            except OSError as error:
                raise WriteError(f"the ledger {self.name} cannot be written: {error}", retry_after=ASK_AGAIN) from error
        return self._owner
