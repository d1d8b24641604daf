"""The store in an SQLite file, or in memory."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from workflow_runner.store.contract import (
    ExecutionExistsError,
    ExecutionRecord,
    LogConflictError,
    LogRecord,
    PluginState,
    UnknownExecutionError,
)
from workflow_runner.store.sqlite_cache import SqliteCache
from workflow_runner.store.statements import load_statements, migrate
from workflow_runner.store.writer import Writer

__all__ = ["SqliteStore"]


class SqliteStore:
    """A store in one file, written by one thread; several writes that wait together cost one commit.

    `path` ":memory:" keeps everything in memory.
    """

    def __init__(self, path: str | Path, *, busy_timeout: float = 5.0) -> None:
        self._path = str(path)
        self._busy_timeout = busy_timeout
        self._sql = load_statements()
        self._writer = Writer(self._connect, self._path)
        self.cache = SqliteCache(self._writer, self._sql)

    async def __aenter__(self) -> Self:
        self._writer.start()
        try:
            await self._writer.run(lambda connection: None)
        except BaseException:
            await self._writer.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._writer.stop()

    def _connect(self) -> sqlite3.Connection:
        if self._path != ":memory:":
            Path(self._path).parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=self._busy_timeout, isolation_level=None, cached_statements=64)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    async def create(self, execution: ExecutionRecord, log: Sequence[LogRecord]) -> None:
        def transaction(connection: sqlite3.Connection) -> None:
            try:
                connection.execute(self._sql["insert_execution"], asdict(execution))
            except sqlite3.IntegrityError as error:
                raise ExecutionExistsError(f"an execution {execution.id!r} exists already in {self._path}") from error
            self._insert(connection, execution.id, 0, log)

        await self._writer.run(transaction)

    async def append(
        self, execution_id: str, number: int, log: Sequence[LogRecord], update: ExecutionRecord | None = None
    ) -> None:
        def transaction(connection: sqlite3.Connection) -> None:
            self._insert(connection, execution_id, number, log)
            if update is not None:
                connection.execute(self._sql["update_execution"], asdict(update))

        await self._writer.run(transaction)

    def _insert(self, connection: sqlite3.Connection, execution_id: str, number: int, log: Sequence[LogRecord]) -> None:
        following = connection.execute(self._sql["select_following_number"], {"execution": execution_id}).fetchone()[0]
        if number != following:
            raise LogConflictError(
                f"record {number} of execution {execution_id!r} cannot be written, the log goes on at {following}: "
                "another runner has taken the execution over"
            )
        rows = [
            {"execution": execution_id, "number": number + offset, "event": record.event, "commands": record.commands}
            for offset, record in enumerate(log)
        ]
        connection.executemany(self._sql["insert_event"], rows)

    async def log(self, execution_id: str) -> Sequence[LogRecord]:
        rows = await self._rows("select_events", execution=execution_id)
        if not rows:
            raise self._unknown(execution_id)
        return [LogRecord(event=event, commands=commands) for event, commands in rows]

    async def execution(self, execution_id: str) -> ExecutionRecord:
        rows = await self._rows("select_execution", id=execution_id)
        if not rows:
            raise self._unknown(execution_id)
        return _execution(rows[0])

    async def executions(self, limit: int = 100) -> Sequence[ExecutionRecord]:
        return [_execution(row) for row in await self._rows("select_executions", limit=limit)]

    async def put_plugin_state(self, execution_id: str, node: str, attempt: int, state: PluginState) -> None:
        values = {
            "execution": execution_id,
            "node": node,
            "attempt": attempt,
            "version": state.version,
            "state": state.data,
        }

        def transaction(connection: sqlite3.Connection) -> None:
            try:
                connection.execute(self._sql["upsert_plugin_state"], values)
            except sqlite3.IntegrityError as error:
                raise self._unknown(execution_id) from error

        await self._writer.run(transaction)

    async def plugin_states(self, execution_id: str) -> Mapping[tuple[str, int], PluginState]:
        rows = await self._rows("select_plugin_states", execution=execution_id)
        return {(node, attempt): PluginState(version=version, data=data) for node, attempt, version, data in rows}

    async def put_signal(self, execution_id: str, signal: str, value: bytes) -> None:
        values = {"execution": execution_id, "signal": signal, "value": value}

        def transaction(connection: sqlite3.Connection) -> None:
            try:
                connection.execute(self._sql["insert_signal"], values)
            except sqlite3.IntegrityError as error:
                raise self._unknown(execution_id) from error

        await self._writer.run(transaction)

    async def signals(self, execution_id: str) -> Mapping[str, bytes]:
        return dict(await self._rows("select_signals", execution=execution_id))

    async def forget_plugin_states(self, execution_id: str) -> None:
        await self._rows("delete_plugin_states", execution=execution_id)

    async def _rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        return await self._writer.run(lambda connection: connection.execute(self._sql[statement], values).fetchall())

    def _unknown(self, execution_id: str) -> UnknownExecutionError:
        return UnknownExecutionError(f"there is no execution {execution_id!r} in {self._path}")


def _execution(row: tuple[Any, ...]) -> ExecutionRecord:
    identifier, workflow, phase, error, started_at, ended_at = row
    return ExecutionRecord(
        id=identifier, workflow=workflow, phase=phase, error=error, started_at=started_at, ended_at=ended_at
    )
