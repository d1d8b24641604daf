"""A ledger in PostgreSQL, shared by replicas on any number of machines. Needs the extra `postgres`."""

import asyncio
import logging
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

from connectory.connector.ledger.durable import PATIENCE, DurableLedger
from connectory.connector.ledger.postgres_link import PostgresLink
from connectory.connector.ledger.sql import WriteError

__all__ = ["PostgresLedger", "shown_url"]

LEASE: Final = timedelta(seconds=15)
_JOIN: Final = """
INSERT INTO connectory_owners (name, alive_until) VALUES (:owner, :now + :lease)
ON CONFLICT (name) DO UPDATE SET alive_until = EXCLUDED.alive_until
"""
_LEAVE: Final = "DELETE FROM connectory_owners WHERE name = :owner"
_TIDY: Final = "DELETE FROM connectory_owners WHERE alive_until < :now - 86400"
_LIVES: Final = "SELECT 1 FROM connectory_owners WHERE name = :owner AND alive_until > :now"
_log = logging.getLogger("connectory.connector.ledger")


class PostgresLedger(DurableLedger):
    """Creates by key in a PostgreSQL database. Tables are made when they are missing.

    A process renews a `lease` in the database, by the database's clock, as long as it lives. The intents of one whose
    lease has run out are taken over. If it was only slow, and its create ends after all, it finds the key taken and
    deletes the job that it made. Processes that wait for each other are told by LISTEN and NOTIFY; where these do not
    get through, they look several times a second.
    """

    def __init__(
        self,
        url: str,
        *,
        keep: timedelta = timedelta(days=14),
        patience: float = PATIENCE,
        lease: timedelta = LEASE,
    ) -> None:
        super().__init__(_Postgres(url, lease.total_seconds()), keep=keep, patience=patience)


class _Postgres:
    """`Sql` over a link, with a lease for this process."""

    def __init__(self, url: str, lease: float) -> None:
        self.name = shown_url(url)
        self._link = PostgresLink(url, self.name)
        self._lease = lease
        self._owner = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._safe_until = 0.0
        self._joining = asyncio.Lock()
        self._heart: asyncio.Task[None] | None = None

    async def run(self, statement: str, **values: Any) -> Sequence[Sequence[Any]]:
        return await self._link.run(statement, values)

    async def first(self, statement: str, **values: Any) -> Sequence[Any] | None:
        rows = await self._link.run(statement, values)
        return rows[0] if rows else None

    async def change(self, statement: str, **values: Any) -> int:
        return await self._link.change(statement, values)

    async def run_many(self, work: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        await self._link.run_many(work)

    async def owner(self) -> str:
        if self._heart is None:
            async with self._joining:
                if self._heart is None:
                    await self._beat()
                    await self.run(_TIDY)
                    self._heart = asyncio.create_task(self._keep_beating())
        return self._owner

    async def is_alive(self, owner: str) -> bool:
        return await self.first(_LIVES, owner=owner) is not None

    async def keep_alive(self) -> None:
        if monotonic() > self._safe_until:
            await self._beat()

    async def wait(self, key: str, timeout: float) -> None:
        await self._link.wait(key, timeout)

    async def tell(self, key: str) -> None:
        with suppress(WriteError):  # who waits looks again by itself
            await self._link.tell(key)

    async def aclose(self) -> None:
        if self._heart is not None:
            self._heart.cancel()
            await asyncio.wait([self._heart])
            self._heart = None
            with suppress(WriteError):
                await self.run(_LEAVE, owner=self._owner)
        await self._link.aclose()

    async def _beat(self) -> None:
        asked = monotonic()
        await self.run(_JOIN, owner=self._owner, lease=self._lease)
        self._safe_until = asked + self._lease * 2 / 3

    async def _keep_beating(self) -> None:
        pause = self._lease / 3
        while True:
            await asyncio.sleep(pause)
            try:
                await self._beat()
                pause = self._lease / 3
            except WriteError as error:
                _log.error("the lease of this process cannot be renewed: %s", error)
                pause = min(1.0, self._lease / 10)


def shown_url(url: str) -> str:
    """The URL without what may be secret: user, password and options."""
    parts = urlsplit(url)
    where = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{where}{parts.path}"
