"""The lease book in the store's database."""

import json
from collections.abc import Collection, Mapping, Sequence

from connectory.database.contract import Database, Session
from workflow_runner.store.leases import Holder
from workflow_runner.store.notices import LEASES, Notices, taken_topic

__all__ = ["SqlLeases"]


class SqlLeases:
    """Executions name their owner; the lease is the owner's, one row whatever the number of its executions."""

    def __init__(self, database: Database, sql: Mapping[str, str], owner: str, notices: Notices) -> None:
        self.owner = owner
        self._database = database
        self._sql = sql
        self._notices = notices

    async def renew(self, seconds: float) -> Collection[str]:
        async def transaction(session: Session) -> Collection[str]:
            await session.change(self._sql["upsert_owner"], owner=self.owner, seconds=float(seconds))
            return {held for (held,) in await session.rows(self._sql["select_held"], owner=self.owner)}

        return await self._database.run(transaction)

    async def take(self, execution_id: str, *, instead_of: str = "") -> Holder | None:
        async def transaction(session: Session) -> Holder | None:
            await session.rows(self._sql["lock_leases"])
            await session.change(self._sql["take"], execution=execution_id, owner=self.owner, instead_of=instead_of)
            rows = await session.rows(self._sql["select_holder"], execution=execution_id)
            return Holder(owner=rows[0][0], seconds_left=rows[0][1]) if rows and rows[0][0] else None

        holder = await self._database.run(transaction)
        if instead_of and holder is not None and holder.owner == self.owner:
            await self._notices.publish(taken_topic(instead_of))
        return holder

    async def take_free(self, limit: int, *, except_for: Collection[str] = ()) -> Sequence[str]:
        async def transaction(session: Session) -> Sequence[str]:
            await session.rows(self._sql["lock_leases"])
            rows = await session.rows(
                self._sql["take_free"], owner=self.owner, limit=limit, except_for=json.dumps([*except_for])
            )
            return [taken for (taken,) in rows]

        return await self._database.run(transaction)

    async def let_go(self, execution_ids: Collection[str]) -> None:
        executions = json.dumps([*execution_ids])
        if await self._database.change(self._sql["let_go"], executions=executions, owner=self.owner):
            await self._notices.publish(LEASES)

    async def others(self) -> Sequence[Holder]:
        rows = await self._database.rows(self._sql["select_other_owners"], owner=self.owner)
        return [Holder(owner=owner, seconds_left=left) for owner, left in rows]

    async def bury(self, owner: str) -> None:
        await self._database.change(self._sql["delete_owner"], owner=owner)

    async def resign(self) -> None:
        async def transaction(session: Session) -> int:
            let_go = await session.change(self._sql["let_go_of_all"], owner=self.owner)
            await session.change(self._sql["delete_owner"], owner=self.owner)
            await session.change(self._sql["delete_past_owners"])
            return let_go

        if await self._database.run(transaction):
            await self._notices.publish(LEASES)
