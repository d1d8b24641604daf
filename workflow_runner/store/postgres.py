"""The store in a PostgreSQL database, which several runners may share."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from connectory.database.postgres import ANSWER_WITHIN, PostgresDatabase
from connectory.database.statements import positional
from workflow_runner.store.contract import ExecutionRecord, LogRecord
from workflow_runner.store.postgres_appends import Append, Appends
from workflow_runner.store.postgres_notices import PostgresNotices
from workflow_runner.store.sql_store import SqlStore, execution_values

__all__ = ["PostgresStore"]


class PostgresStore(SqlStore):
    """A store in the schema that the URL's connections find first; records that wait together cost one statement.

    Notices reach every runner on the database. A server that is started anew holds things up for as long as that takes.
    """

    def __init__(
        self,
        url: str,
        *,
        patience: float = 15.0,
        answer_within: float = ANSWER_WITHIN,
        lock_timeout: float = 5.0,
        owner: str = "",
    ) -> None:
        database = PostgresDatabase(url, patience=patience, answer_within=answer_within, lock_timeout=lock_timeout)
        self._postgres = database
        self._postgres_notices = PostgresNotices(database)
        super().__init__(database, self._postgres_notices, owner)
        self._appends = Appends(database, self._sql, self._owner)

    async def _open(self, stack: AsyncExitStack) -> None:
        await super()._open(stack)
        await stack.enter_async_context(self._postgres_notices)
        await stack.enter_async_context(self._appends)

    async def create(self, execution: ExecutionRecord, log: Sequence[LogRecord], *, held: bool = False) -> None:
        sql, names = positional(self._sql["insert_execution"])
        values = {
            **execution_values(execution),
            "owner": self._owner if held else "",
            "events": [record.event for record in log],
            "commands": [record.commands for record in log],
        }

        async def work(connection: Any, again: bool) -> bool:
            if await connection.fetch(sql, *[values[name] for name in names]):
                return True
            append = Append(execution=execution.id, number=0, log=log, update=None)
            return again and await self._appends.is_written(connection, append)

        if not await self._postgres.perform(work):
            raise self._exists(execution.id)

    async def append(
        self, execution_id: str, number: int, log: Sequence[LogRecord], update: ExecutionRecord | None = None
    ) -> None:
        append = Append(execution=execution_id, number=number, log=log, update=update)
        if not await self._appends.append(append):
            head = await self.database.rows(self._sql["select_head"], execution=execution_id)
            raise self._conflict(execution_id, number, head)
