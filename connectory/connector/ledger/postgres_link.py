"""Connections to PostgreSQL: statements with named values, and news between processes."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import asyncpg

from connectory.connector.ledger import statements
from connectory.connector.ledger.sql import WriteError

__all__ = ["PostgresLink"]

_MOST_CONNECTIONS: Final = 8
_SECONDS: Final = 10.0
_CHANNEL: Final = "connectory_jobs"
_NAME: Final = re.compile(r"(?<![:\w]):([a-z]\w*)")
_NOW: Final = "(extract(epoch FROM statement_timestamp())::float8)"
_NOTIFY: Final = f"SELECT pg_notify('{_CHANNEL}', :news)"
_MIGRATING: Final = 7_031_988_003


class _Connection(asyncpg.Connection):  # type: ignore[misc, unused-ignore]
    """A connection that needs no cleaning between statements: none of them leaves anything behind."""

    def get_reset_query(self) -> str:
        return ""


class PostgresLink:
    """Opens connections when they are first needed. Whatever goes wrong is a `WriteError`."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._pool: Any = None
        self._listener: Any = None
        self._connecting: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self._waiting: dict[str, asyncio.Event] = {}

    async def run(self, statement: str, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """The rows that a statement gives."""
        text, names = _numbered(statement)
        async with self._connection() as connection:
            rows: Sequence[Sequence[Any]] = await connection.fetch(text, *(values[name] for name in names))
            return rows

    async def change(self, statement: str, values: Mapping[str, Any]) -> int:
        """How many rows a statement changed."""
        text, names = _numbered(statement)
        async with self._connection() as connection:
            done: str = await connection.execute(text, *(values[name] for name in names))
            return int(done.rpartition(" ")[2])

    async def run_many(self, work: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Run the statements in one transaction."""
        async with self._connection() as connection, connection.transaction():
            for statement, values in sorted(work, key=lambda one: str(one[1].get("job"))):
                text, names = _numbered(statement)
                await connection.execute(text, *(values[name] for name in names))

    async def tell(self, key: str) -> None:
        """Wake whoever waits for the key, in any process."""
        await self.run(_NOTIFY, {"news": _news(key)})

    async def wait(self, key: str, timeout: float) -> None:
        """Return when somebody told of the key, after `timeout` seconds at the latest."""
        self._listen()
        news = _news(key)
        event = self._waiting.setdefault(news, asyncio.Event())
        try:
            with suppress(WriteError):
                await self.run(statements.AWAIT, {"key": key})
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await event.wait()
        finally:
            if self._waiting.get(news) is event:
                del self._waiting[news]

    async def aclose(self) -> None:
        """Close the connections."""
        if self._connecting is not None:
            await asyncio.wait([self._connecting])
        listener, self._listener = self._listener, None
        pool, self._pool = self._pool, None
        if listener is not None:
            await listener.close(timeout=1.0)
        if pool is not None:
            try:
                await asyncio.wait_for(pool.close(), 5.0)
            except TimeoutError:
                pool.terminate()

    def _listen(self) -> None:
        """See that news come, from now on or a little later; until then whoever waits looks by itself."""
        is_open = self._listener is not None and not self._listener.is_closed()
        if not is_open and (self._connecting is None or self._connecting.done()):
            self._connecting = asyncio.create_task(self._listening())

    async def _listening(self) -> None:
        with suppress(*_FAILURES):
            listener = await asyncpg.connect(self._url, timeout=_SECONDS)
            await listener.add_listener(_CHANNEL, self._told)
            self._listener = listener

    def _told(self, _connection: Any, _process: int, _channel: str, news: str) -> None:
        event = self._waiting.get(news)
        if event is not None:
            event.set()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        try:
            pool = await self._opened()
            connection = await pool.acquire(timeout=_SECONDS)
        except _FAILURES as error:
            raise self._failure(error, sent=False) from error
        try:
            yield connection
        except asyncpg.PostgresError as error:
            raise self._failure(error, sent=True) from error
        except _FAILURES as error:
            connection.terminate()
            raise self._failure(error, sent=True) from error
        finally:
            await pool.release(connection)

    async def _opened(self) -> Any:
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    self._pool = await _open(self._url)
        return self._pool

    def _failure(self, error: BaseException, *, sent: bool) -> WriteError:
        told = WriteError(f"the ledger {self._name} cannot be written ({type(error).__name__}: {error})")
        told.may_have_happened = sent and not isinstance(error, asyncpg.PostgresError)
        return told


_FAILURES: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


async def _open(url: str) -> Any:
    pool = await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=_MOST_CONNECTIONS,
        command_timeout=_SECONDS,
        timeout=_SECONDS,
        connection_class=_Connection,
    )
    try:
        async with pool.acquire() as connection, connection.transaction():
            await _migrate(connection)
    except BaseException:
        pool.terminate()
        raise
    return pool


async def _migrate(connection: Any) -> None:
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATING)
    await connection.execute("CREATE TABLE IF NOT EXISTS connectory_ledger_schema (version INTEGER NOT NULL)")
    done = await connection.fetchval("SELECT coalesce(max(version), 0) FROM connectory_ledger_schema")
    folder = resources.files(__package__) / "postgres_sql"
    steps = [file.read_text() for file in sorted(folder.iterdir(), key=lambda file: file.name)]
    if done > len(steps):
        raise asyncpg.InterfaceError(f"its tables were made by a newer version of this program (schema {done})")
    for number, step in enumerate(steps[done:], start=done + 1):
        await connection.execute(step)
        await connection.execute("INSERT INTO connectory_ledger_schema (version) VALUES ($1)", number)


@lru_cache(maxsize=256)
def _numbered(statement: str) -> tuple[str, tuple[str, ...]]:
    """The statement with `$1` in place of `:name`, and the names in the order of the numbers."""
    names: list[str] = []

    def place(match: re.Match[str]) -> str:
        name = match[1]
        if name == "now":
            return _NOW
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _NAME.sub(place, statement), tuple(names)


def _news(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
