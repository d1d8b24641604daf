"""Records that many executions write at once, in one statement."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from connectory.database.contract import Row
from connectory.database.postgres import PostgresDatabase
from connectory.database.statements import positional
from connectory.errors import StoreError
from workflow_runner.store.contract import ExecutionRecord, LogRecord
from workflow_runner.store.texts import storable

__all__ = ["Append", "Appends"]

_MOST_AT_ONCE = 512
_MOST_BYTES = 8 * 2**20


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Append:
    """What is to be written behind the log of one execution."""

    execution: str
    number: int
    log: Sequence[LogRecord]
    update: ExecutionRecord | None
    written: "asyncio.Future[bool]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Whether it was; False: the log does not end there, or somebody else holds the execution."""


class Appends:
    """Writes what waits together, one execution once at a time. A statement is one round trip and one commit."""

    def __init__(self, database: PostgresDatabase, sql: Mapping[str, str], owner: str) -> None:
        self._database = database
        self._sql = sql
        self._owner = owner
        self._waiting: list[Append] = []
        self._more = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._closing = False
        self._task = asyncio.create_task(self._work(), name="store appends")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what waits, and end."""
        self._closing = True
        self._more.set()
        task, self._task = self._task, None
        if task is not None:
            await task

    async def append(self, append: Append) -> bool:
        """Write, and wait until it is committed; False when the log does not go on there for this owner."""
        if self._task is None:
            raise StoreError(f"the store {self._database.where} is not open")
        self._waiting.append(append)
        self._more.set()
        return await append.written

    async def _work(self) -> None:
        while self._waiting or not self._closing:
            await self._more.wait()
            self._more.clear()
            while batch := self._take():
                await self._settle(batch)

    def _take(self) -> Sequence[Append]:
        """What can be written in one statement: of each execution what came first."""
        batch: dict[str, Append] = {}
        later: list[Append] = []
        size = 0
        for append in self._waiting:
            if append.execution in batch or len(batch) == _MOST_AT_ONCE or size > _MOST_BYTES:
                later.append(append)
            else:
                batch[append.execution] = append
                size += sum(len(record.event) + len(record.commands) for record in append.log)
        self._waiting = later
        return list(batch.values())

    async def _settle(self, batch: Sequence[Append]) -> None:
        try:
            written = await self._database.perform(lambda connection, again: self._write(connection, batch, again))
        except Exception as error:  # whatever it is, those who wait must be told
            for append in batch:
                with contextlib.suppress(asyncio.InvalidStateError):
                    append.written.set_exception(error)
            return
        for append in batch:
            if not append.written.done():  # the caller was cancelled; what it asked for is done all the same
                append.written.set_result(append.execution in written)

    async def _write(self, connection: Any, batch: Sequence[Append], again: bool) -> set[str]:
        sql, names = positional(self._sql["append"])
        values = {**_columns(batch), "owner": self._owner}
        written = {record[0] for record in await connection.fetch(sql, *[values[name] for name in names])}
        if again:
            for append in batch:
                if append.execution not in written and await self.is_written(connection, append):
                    written.add(append.execution)
        return written

    async def is_written(self, connection: Any, append: Append) -> bool:
        """Whether the log has exactly these records: the try before was committed, and its answer lost."""
        sql, names = positional(self._sql["select_records"])
        values = {"execution": append.execution, "number": append.number, "limit": len(append.log)}
        rows: Sequence[Row] = [tuple(row) for row in await connection.fetch(sql, *[values[name] for name in names])]
        return rows == [(record.event, record.commands) for record in append.log]


def _columns(batch: Sequence[Append]) -> Mapping[str, Sequence[Any]]:
    records = [
        (append.execution, append.number + offset, record.event, record.commands)
        for append in batch
        for offset, record in enumerate(append.log)
    ]
    updates = [append.update for append in batch]
    return {
        "executions": [append.execution for append in batch],
        "numbers": [append.number for append in batch],
        "counts": [len(append.log) for append in batch],
        "phases": [update.phase if update is not None else None for update in updates],
        "errors": [storable(update.error) if update is not None else None for update in updates],
        "ends": [update.ended_at if update is not None else None for update in updates],
        "record_executions": [record[0] for record in records],
        "record_numbers": [record[1] for record in records],
        "events": [record[2] for record in records],
        "commands": [record[3] for record in records],
    }
