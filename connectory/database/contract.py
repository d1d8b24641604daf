"""One SQL database, spoken to in the same way whether it is a file of SQLite or a PostgreSQL server.

A room that keeps something of its own brings three things: a `Schema` (a folder of numbered scripts), a file of named
statements (`load_statements`), and code that asks for them:

    CATALOG = Schema(name="catalog", package="workflow_runner.catalog.migrations")

    class Catalog:
        def __init__(self, database: Database) -> None:
            self._database = database
            self._sql = load_statements("workflow_runner.catalog", database.dialect)

        async def open(self) -> None:
            await self._database.migrate(CATALOG)

        async def names(self) -> Sequence[str]:
            return [name for (name,) in await self._database.rows(self._sql["select_names"], limit=100)]

`Store.database` is the database of a runner's store; it is open as long as the store is.

Words of SQL that both understand: parameters are `:name`, and `:now`, which is never given, is the database's own clock
in seconds since 1970 (UTC), the same all through a statement. In the database of a store `store_now()` is that clock,
too. A colon is used for nothing else than parameters and casts (`::`). Values are str, bytes, int, float and None; a
row is a tuple of them. Text has no character U+0000, which PostgreSQL does not keep.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Protocol, Self, TypeVar

from connectory.errors import StoreError

__all__ = [
    "Database",
    "Dialect",
    "DuplicateRowError",
    "MissingRowError",
    "NewerTablesError",
    "OpenableDatabase",
    "Row",
    "Schema",
    "Session",
    "Transaction",
    "UncertainError",
]

T = TypeVar("T")
Row = tuple[Any, ...]
Dialect = Literal["sqlite", "postgres"]


class DuplicateRowError(StoreError):
    """There is a row with this key already."""


class MissingRowError(StoreError):
    """A row that was referred to does not exist."""


class NewerTablesError(StoreError):
    """A newer version of this program has changed the tables, which this one does not understand any more."""


class UncertainError(StoreError):
    """The connection was lost before the database told whether a change was kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    """The tables of one room, as scripts that are applied in order and never changed afterwards."""

    name: str
    """By which the database remembers the version; unique among rooms."""
    package: str
    """Holds the folders `sqlite` and `postgres`, each with scripts 0001_what.sql, 0002_what.sql and so on."""
    is_alone: bool = False
    """Whether its version is kept apart from those of other rooms: in SQLite as the `user_version` of the file, which
    it has for itself, and in PostgreSQL in a table `NAME_schema`."""


class Session(Protocol):
    """Statements, one after the other. Errors are StoreErrors, among them DuplicateRowError and MissingRowError."""

    async def rows(self, statement: str, /, **values: Any) -> Sequence[Row]:
        """Perform a statement; the rows that it selects or returns."""
        ...

    async def change(self, statement: str, /, **values: Any) -> int:
        """Perform a statement; how many rows it has written or deleted."""
        ...

    async def change_many(self, statement: str, values: Sequence[Mapping[str, Any]], /) -> None:
        """Perform a statement for each of the values; it has no `:now`."""
        ...

    async def change_each(self, statement: str, values: Sequence[Mapping[str, Any]], /) -> Sequence[bool]:
        """Perform a statement, which changes one row at most, for each of the values; for which of them it did."""
        ...


Transaction = Callable[[Session], Coroutine[Any, Any, T]]
"""What is done together or not at all. It awaits nothing but its session, and ends at its first StoreError."""


class Database(Session, Protocol):
    """Usable from one event loop, while it is open.

    What a finished call has written survives a crash of the process and of the machine. Statements that are asked for
    here rather than in a transaction are committed one by one. When a connection to PostgreSQL is lost under such a
    statement it is asked again, so it must be one whose repetition changes nothing; a transaction is begun again only
    when it is certain that it was not committed. When that lasts too long, or no answer comes, it is an UncertainError
    if the change may have been kept all the same.
    """

    @property
    def dialect(self) -> Dialect:
        """Whose SQL is spoken."""
        ...

    @property
    def where(self) -> str:
        """Which database it is, for messages; no passwords."""
        ...

    @property
    def shown(self) -> str:
        """The same with a word for what it is, "the store runs.db"."""
        ...

    async def run(self, transaction: Transaction[T], /) -> T:
        """Perform a transaction; it is committed when this returns. What it raises undoes it."""
        ...

    async def migrate(self, schema: Schema, /) -> None:
        """Bring the tables of a room up to date; costs one read when they are.

        Several processes may do so at once. A StoreError when a newer version of the program has been at it.
        """
        ...


class OpenableDatabase(Database, Protocol):
    """A database that its holder opens and closes."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
