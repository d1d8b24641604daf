"""A PostgreSQL database."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import asyncpg

from connectory.database.contract import Dialect, Row, Schema, Transaction, UncertainError
from connectory.database.postgres_errors import AT_ODDS, FAILURES, LOST, refused, translated
from connectory.database.postgres_migrations import is_up_to_date, migrate
from connectory.database.postgres_urls import check_url, shown_url
from connectory.database.statements import positional
from connectory.errors import StoreError

__all__ = ["ANSWER_WITHIN", "PostgresDatabase"]

T = TypeVar("T")
ANSWER_WITHIN: Final = 10.0
"""Seconds for a statement, or for connecting. What is asked for here takes milliseconds, and waits a few seconds for a
lock at most; so a server that says nothing for so long will not, or not over this connection."""
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0
_CLOSING_SECONDS: Final = 5.0
_KEEPALIVES: Final = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
"""So that the server, too, learns within half a minute that a client is gone, and frees what it has locked."""


class PostgresDatabase:
    """A database that a URL names, through a few connections that are made when they are needed.

    A connection that is lost is replaced, for `patience` seconds at most; so a server that is started anew holds things
    up, and nothing fails. So is one over which no answer comes within `answer_within` seconds; connecting may take as
    long. A statement waits `lock_timeout` seconds for a lock that another program holds. `called` is a word for the
    database in messages, and `where` what they tell of the URL: by default all but its password and options. One
    that cannot be read is a `SettingsError`.
    """

    dialect: Final[Dialect] = "postgres"

    def __init__(
        self,
        url: str,
        *,
        connections: int = 4,
        patience: float = 15.0,
        answer_within: float = ANSWER_WITHIN,
        lock_timeout: float = 5.0,
        called: str = "store",
        where: str = "",
    ) -> None:
        check_url(url)
        self.where = where or shown_url(url)
        self.shown = f"the {called} {self.where}"
        self._connections = connections
        self._patience = patience
        self._longest_queue = max(patience, answer_within)
        self._how: Mapping[str, Any] = {
            "dsn": url,
            "timeout": answer_within,
            "command_timeout": answer_within,
            "server_settings": {
                "lock_timeout": f"{lock_timeout * 1000:.0f}",
                "application_name": "connectory",
                **_KEEPALIVES,
            },
        }
        self._pool: Any = None

    async def __aenter__(self) -> Self:
        try:
            self._pool = await asyncpg.create_pool(
                min_size=1, max_size=self._connections, reset=_leave_as_it_is, **self._how
            )
        except FAILURES as error:
            raise translated(error, self.shown) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pool, self._pool = self._pool, None
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                await pool.close()
        except TimeoutError:
            pool.terminate()

    async def rows(self, statement: str, /, **values: Any) -> Sequence[Row]:
        return await self.perform(lambda connection, again: _PostgresSession(connection).rows(statement, **values))

    async def change(self, statement: str, /, **values: Any) -> int:
        return await self.perform(lambda connection, again: _PostgresSession(connection).change(statement, **values))

    async def change_many(self, statement: str, values: Sequence[Mapping[str, Any]], /) -> None:
        await self.perform(lambda connection, again: _PostgresSession(connection).change_many(statement, values))

    async def change_each(self, statement: str, values: Sequence[Mapping[str, Any]], /) -> Sequence[bool]:
        return await self.run(lambda session: session.change_each(statement, values))

    async def run(self, transaction: Transaction[T], /) -> T:
        async def work(connection: Any, again: bool) -> T:
            async with _Undoing(connection) as undoing:
                result = await transaction(_PostgresSession(connection))
                await self._commit(undoing)
            return result

        return await self.perform(work)

    async def migrate(self, schema: Schema, /) -> None:
        if not await self.perform(lambda connection, again: is_up_to_date(connection, schema)):
            await self.perform(lambda connection, again: migrate(connection, schema, self.shown))

    async def perform(self, work: Callable[[Any, bool], Awaitable[T]]) -> T:
        """Do something with a connection of asyncpg.

        It is done again, and told so, when the connection is lost; what it did the last time may have been committed.
        """
        loop = asyncio.get_running_loop()
        deadline, wait, again = loop.time() + self._patience, _FIRST_WAIT, False
        while True:
            if self._pool is None:
                raise StoreError(f"{self.shown} is not open")
            lost = True
            may_be_kept = again
            try:
                async with self._pool.acquire(timeout=self._longest_queue) as connection:
                    try:
                        may_be_kept = True
                        return await work(connection, again)
                    except BaseException as error:
                        lost = connection.is_closed() or isinstance(error, LOST)
                        if lost:
                            connection.terminate()
                        raise
            except FAILURES as error:
                if not (lost or isinstance(error, AT_ODDS)) or loop.time() + wait > deadline:
                    raise translated(error, self.shown, may_be_kept=may_be_kept) from error
                again = again or lost
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    async def connect(self) -> Any:
        """A connection of asyncpg for the caller alone, who closes it."""
        try:
            return await asyncpg.connect(**self._how)
        except FAILURES as error:
            raise translated(error, self.shown) from error

    async def _commit(self, undoing: "_Undoing") -> None:
        try:
            await undoing.commit()
        except LOST as error:
            text = f"the connection to {self.where} was lost before it told whether a change was kept"
            raise UncertainError(f"{text}; look, and ask again if it was not") from error


class _PostgresSession:
    """Statements on one connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def rows(self, statement: str, /, **values: Any) -> Sequence[Row]:
        sql, names = positional(statement)
        try:
            records = await self._connection.fetch(sql, *[values[name] for name in names])
        except asyncpg.IntegrityConstraintViolationError as error:
            raise refused(error) from error
        return [tuple(record) for record in records]

    async def change(self, statement: str, /, **values: Any) -> int:
        sql, names = positional(statement)
        try:
            status = await self._connection.execute(sql, *[values[name] for name in names])
        except asyncpg.IntegrityConstraintViolationError as error:
            raise refused(error) from error
        number = status.rpartition(" ")[2]
        return int(number) if number.isdecimal() else 0

    async def change_many(self, statement: str, values: Sequence[Mapping[str, Any]], /) -> None:
        sql, names = positional(statement)
        try:
            await self._connection.executemany(sql, [[each[name] for name in names] for each in values])
        except asyncpg.IntegrityConstraintViolationError as error:
            raise refused(error) from error

    async def change_each(self, statement: str, values: Sequence[Mapping[str, Any]], /) -> Sequence[bool]:
        return [await self.change(statement, **each) > 0 for each in values]


class _Undoing:
    """A transaction that is undone unless it is committed."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._transaction = connection.transaction()
        self._over = False

    async def __aenter__(self) -> Self:
        await self._transaction.start()
        return self

    async def commit(self) -> None:
        self._over = True
        await self._transaction.commit()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._over and not self._connection.is_closed() and not isinstance(error, LOST):
            await self._transaction.rollback()


async def _leave_as_it_is(connection: Any) -> None:
    """Nothing here changes a connection's settings, so there is nothing to reset before its next use."""
