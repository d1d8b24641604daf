"""The result cache in the store's SQLite file."""

import sqlite3
from collections.abc import Mapping

from workflow_runner.cache.contract import CachedResult, Claim
from workflow_runner.store.writer import Writer

__all__ = ["SqliteCache"]


class SqliteCache:
    """Shares the store's connection and its commits."""

    def __init__(self, writer: Writer, sql: Mapping[str, str]) -> None:
        self._writer = writer
        self._sql = sql

    async def find(self, key: str, *, not_before: float = 0.0) -> CachedResult | None:
        return await self._writer.run(lambda connection: self._select(connection, key, not_before))

    async def claim(self, key: str, owner: str, *, now: float, until: float, not_before: float = 0.0) -> Claim:
        def transaction(connection: sqlite3.Connection) -> Claim:
            result = self._select(connection, key, not_before)
            if result is not None:
                return Claim(result=result)
            values = {"key": key, "owner": owner, "until": until, "now": now}
            return Claim(granted=connection.execute(self._sql["upsert_cache_claim"], values).rowcount == 1)

        return await self._writer.run(transaction)

    async def keep(self, key: str, owner: str, result: CachedResult) -> None:
        values = {"key": key, "outputs": result.outputs, "source": result.source, "kept_at": result.kept_at}

        def transaction(connection: sqlite3.Connection) -> None:
            connection.execute(self._sql["upsert_cached_result"], values)
            connection.execute(self._sql["delete_cache_claim"], {"key": key, "owner": owner})

        await self._writer.run(transaction)

    async def release(self, key: str, owner: str) -> None:
        def transaction(connection: sqlite3.Connection) -> None:
            connection.execute(self._sql["delete_cache_claim"], {"key": key, "owner": owner})

        await self._writer.run(transaction)

    def _select(self, connection: sqlite3.Connection, key: str, not_before: float) -> CachedResult | None:
        values = {"key": key, "not_before": not_before}
        row = connection.execute(self._sql["select_cached_result"], values).fetchone()
        return CachedResult(outputs=row[0], source=row[1], kept_at=row[2]) if row is not None else None
