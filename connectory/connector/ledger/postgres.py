"""A ledger in PostgreSQL, shared by replicas on any number of machines. Needs the extra `postgres`."""

import asyncio
import hashlib
import logging
import os
import secrets
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

from connectory.connector.ledger import statements
from connectory.connector.ledger.durable import PATIENCE, DurableLedger
from connectory.connector.ledger.sql import Begun, Created, Refused, Sql, WriteError, begun_values, created_values
from connectory.database.postgres import PostgresDatabase
from connectory.database.postgres_news import PostgresNews
from connectory.database.postgres_urls import check_url

__all__ = ["PostgresLedger", "shown_url"]

LEASE: Final = timedelta(seconds=15)
_CONNECTIONS: Final = 8
_ANSWER_WITHIN: Final = 5.0
"""Seconds for a statement: so much less than callers usually wait that they are told, and do not give up first."""
_CHANNEL: Final = "connectory_jobs"
_NOTIFY: Final = f"SELECT pg_notify('{_CHANNEL}', :news)"
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


class _Postgres(Sql):
    """A database with a lease for this process, and a channel on which changes are told."""

    def __init__(self, url: str, lease: float) -> None:
        check_url(url)
        database = PostgresDatabase(
            url,
            connections=_CONNECTIONS,
            patience=0.0,
            answer_within=_ANSWER_WITHIN,
            called="ledger",
            where=shown_url(url),
        )
        super().__init__(database)
        self._news = PostgresNews(database, _CHANNEL, self._heard)
        self._waiting: dict[str, asyncio.Event] = {}
        self._lease = lease
        self._owner = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._safe_until = 0.0
        self._joining = asyncio.Lock()
        self._heart: asyncio.Task[None] | None = None

    async def run_many(self, work: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        await super().run_many(sorted(work, key=lambda one: str(one[1].get("job"))))  # in one order, against deadlocks

    async def _write(
        self, begun: Sequence[Begun], created: Sequence[Created], refused: Sequence[Refused]
    ) -> Collection[str]:
        if len(begun) + len(created) + len(refused) == 1:
            return await self._write_one(begun[0] if begun else created[0] if created else refused[0])
        in_order = sorted(begun, key=lambda one: one.key)  # in which all replicas lock, against deadlocks
        rows = await self._database.rows(
            statements.WRITE_MANY,
            owner=self._owner,
            created=[one.key for one in created],
            handles=[one.handle for one in created],
            jobs=[one.job for one in created],
            keys=[one.key for one in in_order],
            digests=[one.digests for one in in_order],
            categories=[one.category for one in in_order],
            executions=[one.execution for one in in_order],
            requests=[one.request for one in in_order],
            leases=[one.lease for one in in_order],
            refused=[one.key for one in refused],
        )
        return {key for (key,) in rows}

    async def _write_one(self, one: Begun | Created | Refused) -> Collection[str]:
        """The same, in statements that cost less."""
        if isinstance(one, Begun):
            changed = self._database.change(statements.INTEND, **begun_values(one, self._owner))
        elif isinstance(one, Created):
            changed = self._database.change(statements.SETTLE_WANTED, **created_values(one, self._owner))
        else:
            changed = self._database.change(statements.FORGET_UNAWAITED, key=one.key, owner=self._owner)
        return {one.key} if await changed else ()

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
        self._news.start()  # until news come, whoever waits looks by itself
        news = _news_of(key)
        event = self._waiting.setdefault(news, asyncio.Event())
        try:
            with suppress(WriteError):
                await self.run(statements.AWAIT, key=key)
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await event.wait()
        finally:
            if self._waiting.get(news) is event:
                del self._waiting[news]

    async def tell(self, key: str) -> None:
        with suppress(WriteError):  # who waits looks again by itself
            await self.run(_NOTIFY, news=_news_of(key))

    async def aclose(self) -> None:
        await self._news.__aexit__(None, None, None)
        if self._heart is not None:
            self._heart.cancel()
            await asyncio.wait([self._heart])
            self._heart = None
            with suppress(WriteError):
                await self.run(_LEAVE, owner=self._owner)
        await super().aclose()

    def _heard(self, news: str) -> None:
        event = self._waiting.get(news)
        if event is not None:
            event.set()

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


def _news_of(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
