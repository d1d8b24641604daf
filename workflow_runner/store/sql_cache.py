"""The result cache in the store's database."""

from collections.abc import Mapping, Sequence

from connectory.database.contract import Database, Session
from workflow_runner.cache.contract import CachedResult, CacheEntry, Claim

__all__ = ["SqlCache"]


class SqlCache:
    """Results and claims, each in a table."""

    def __init__(self, database: Database, sql: Mapping[str, str]) -> None:
        self._database = database
        self._sql = sql

    async def find(self, key: str, *, not_before: float = 0.0) -> CachedResult | None:
        return await self._select(self._database, key, not_before)

    async def claim(self, key: str, owner: str, *, seconds: float, not_before: float = 0.0) -> Claim:
        async def transaction(session: Session) -> Claim:
            result = await self._select(session, key, not_before)
            if result is not None:
                return Claim(result=result)
            granted = await session.change(self._sql["upsert_cache_claim"], key=key, owner=owner, seconds=seconds)
            if not granted:
                return Claim()
            result = await self._select(session, key, not_before)  # the claim may have waited for one that kept it
            if result is not None:
                await session.change(self._sql["delete_cache_claim"], key=key, owner=owner)
            return Claim(result=result, granted=result is None)

        return await self._database.run(transaction)

    async def keep(self, key: str, owner: str, result: CachedResult) -> None:
        async def transaction(session: Session) -> None:
            await session.change(
                self._sql["upsert_cached_result"],
                key=key,
                outputs=result.outputs,
                source=result.source,
                kept_at=result.kept_at,
            )
            await session.change(self._sql["delete_cache_claim"], key=key, owner=owner)

        await self._database.run(transaction)

    async def release(self, key: str, owner: str) -> None:
        await self._database.change(self._sql["delete_cache_claim"], key=key, owner=owner)

    async def entries(self, prefix: str = "", limit: int = 100) -> Sequence[CacheEntry]:
        rows = await self._database.rows(
            self._sql["select_cached_keys"], prefix=prefix, length=len(prefix), limit=limit
        )
        return [CacheEntry(key=key, source=source, kept_at=kept_at, size=size) for key, source, kept_at, size in rows]

    async def clear(self, prefix: str = "") -> int:
        return await self._database.change(self._sql["delete_cached_results"], prefix=prefix, length=len(prefix))

    async def _select(self, session: Session, key: str, not_before: float) -> CachedResult | None:
        rows = await session.rows(self._sql["select_cached_result"], key=key, not_before=not_before)
        return CachedResult(outputs=rows[0][0], source=rows[0][1], kept_at=rows[0][2]) if rows else None
