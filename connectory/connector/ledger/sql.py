"""What a durable ledger needs of its database."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar

from connectory.database.contract import OpenableDatabase, Schema, Session, UncertainError
from connectory.database.groups import Groups
from connectory.errors import StoreError, UnavailableError

__all__ = ["ASK_AGAIN", "Begun", "Created", "Refused", "Sql", "WriteError", "begun_values", "created_values"]

T = TypeVar("T")
ASK_AGAIN: Final = timedelta(seconds=2)
"""When a caller should ask again whose call found the ledger's database unusable."""
_TABLES: Final = Schema(name="connectory_ledger", package=f"{__package__}.migrations", is_alone=True)
_GATHER_FOR: Final = 0.003
"""Seconds. A commit takes about as long, and costs as much for one create as for thirty."""


class WriteError(UnavailableError):
    """The ledger's database could not be read or written."""

    default_reason = "LEDGER"
    may_have_happened = False
    """Whether the statement may have been performed all the same: the connection broke before its answer."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An intent to be stored."""

    key: str
    digests: str
    category: str
    execution: str
    request: bytes
    lease: float | None


@dataclass(frozen=True, slots=True)
class Created:
    """A handle to be stored under an intent of this process, if its job is still wanted and nobody waits for it."""

    key: str
    handle: bytes
    job: int


@dataclass(frozen=True, slots=True)
class Refused:
    """An intent of this process that is to be forgotten, if its deletion was not asked for and nobody waits for it."""

    key: str


Write = Begun | Created | Refused


def begun_values(begun: Begun, owner: str) -> dict[str, Any]:
    """What `statements.INTEND` takes."""
    return {
        "key": begun.key,
        "digests": begun.digests,
        "category": begun.category,
        "execution": begun.execution,
        "request": begun.request,
        "lease": begun.lease,
        "owner": owner,
    }


def created_values(created: Created, owner: str) -> dict[str, Any]:
    """What `statements.SETTLE_WANTED` takes."""
    return {
        "key": created.key,
        "state": "created",
        "handle": created.handle,
        "job": created.job,
        "reason": None,
        "owner": owner,
    }


class Sql(ABC):
    """Runs statements with named values (`:key`), each in a transaction of its own that is durable when it returns.

    The database is opened by the first of them. Whatever goes wrong with it is a `WriteError`. Those who write into it
    have names, and know of each other whether they live.
    """

    def __init__(self, database: OpenableDatabase) -> None:
        self.name = database.where
        """What the database is called in errors and logs; nothing secret."""
        self._database = database
        self._opening = asyncio.Lock()
        self._is_open = False
        self._groups: Groups[Write, bool] = Groups(self._written, gather_for=_GATHER_FOR)

    def write(self, one: Write) -> "asyncio.Future[bool]":
        """Store an intent or a handle, or forget an intent, together with others; whether that was done."""
        return self._groups.ask(one)

    async def run(self, statement: str, **values: Any) -> Sequence[Sequence[Any]]:
        """The rows that the statement gives."""
        return await self._done(self._database.rows(statement, **values))

    async def first(self, statement: str, **values: Any) -> Sequence[Any] | None:
        """The first of the rows; None when there is none."""
        rows = await self.run(statement, **values)
        return rows[0] if rows else None

    async def change(self, statement: str, **values: Any) -> int:
        """How many rows the statement changed."""
        return await self._done(self._database.change(statement, **values))

    async def run_many(self, work: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Run these statements in one transaction."""

        async def transaction(session: Session) -> None:
            for statement, values in work:
                await session.change(statement, **values)

        await self._done(self._database.run(transaction))

    @abstractmethod
    async def _write(
        self, begun: Sequence[Begun], created: Sequence[Created], refused: Sequence[Refused]
    ) -> Collection[str]:
        """Do this in one transaction; the keys of those with which it was done. No key is there twice."""

    @abstractmethod
    async def owner(self) -> str:
        """The name under which this process writes intents. It is known as alive from now on."""

    @abstractmethod
    async def is_alive(self, owner: str) -> bool:
        """Whether the process of this name may still settle its intents."""

    @abstractmethod
    async def keep_alive(self) -> None:
        """Return only while everybody else takes this process for alive."""

    @abstractmethod
    async def wait(self, key: str, timeout: float) -> None:
        """Return when another process told that the key changed, after `timeout` seconds at the latest."""

    @abstractmethod
    async def tell(self, key: str) -> None:
        """Tell the other processes that the key changed."""

    async def aclose(self) -> None:
        """Release everything."""
        await self._groups.aclose()
        if self._is_open:
            self._is_open = False
            await self._database.__aexit__(None, None, None)

    async def _written(self, group: Sequence[Write]) -> Sequence[bool]:
        begun = [one for one in group if isinstance(one, Begun)]
        created = [one for one in group if isinstance(one, Created)]
        refused = [one for one in group if isinstance(one, Refused)]
        stored = await self._done(self._write(begun, created, refused))
        return [one.key in stored for one in group]

    async def _done(self, asked: Coroutine[Any, Any, T]) -> T:
        try:
            if not self._is_open:
                await self._open()
            return await asked
        except (StoreError, OSError) as error:
            text = str(error) if isinstance(error, StoreError) else f"{self._database.shown} cannot be used: {error}"
            told = WriteError(text, retry_after=ASK_AGAIN)
            told.may_have_happened = isinstance(error, UncertainError)
            raise told from error
        finally:
            asked.close()

    async def _open(self) -> None:
        async with self._opening:
            if self._is_open:
                return
            await self._database.__aenter__()
            try:
                await self._database.migrate(_TABLES)
            except BaseException:
                await self._database.__aexit__(None, None, None)
                raise
            self._is_open = True
