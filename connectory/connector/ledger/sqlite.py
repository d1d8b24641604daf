"""A ledger in one SQLite file, shared by the processes of one machine; creates happen once over crashes, too."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from connectory.connector.ledger import statements
from connectory.connector.ledger.durable import PATIENCE, DurableLedger
from connectory.connector.ledger.liveness import Owner
from connectory.connector.ledger.sql import (
    ASK_AGAIN,
    Begun,
    Created,
    Refused,
    Sql,
    WriteError,
    begun_values,
    created_values,
)
from connectory.database.contract import Session
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

    async def _write(
        self, begun: Sequence[Begun], created: Sequence[Created], refused: Sequence[Refused]
    ) -> Collection[str]:
        owner = self._own().name
        handles = [created_values(one, owner) for one in created]
        intents = [begun_values(one, owner) for one in begun]
        ends: list[dict[str, Any]] = [{"key": one.key, "owner": owner} for one in refused]

        async def transaction(session: Session) -> Collection[str]:
            were = await session.change_each(statements.SETTLE_WANTED, handles) if handles else ()
            are = await session.change_each(statements.INTEND, intents) if intents else ()
            gone = await session.change_each(statements.FORGET_UNAWAITED, ends) if ends else ()
            keys = (one["key"] for one in (*handles, *intents, *ends))
            return {str(key) for key, is_done in zip(keys, (*were, *are, *gone), strict=True) if is_done}

        return await self._database.run(transaction)

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
                raise WriteError(f"the ledger {self.name} cannot be used: {error}", retry_after=ASK_AGAIN) from error
        return self._owner
