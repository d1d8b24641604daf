"""The store in a database."""

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

from connectory.database.contract import (
    DuplicateRowError,
    MissingRowError,
    OpenableDatabase,
    Row,
    Schema,
    Session,
)
from connectory.database.statements import load_statements
from connectory.errors import StoreError
from workflow_runner.store.contract import (
    ExecutionExistsError,
    ExecutionRecord,
    LogConflictError,
    LogRecord,
    PluginState,
    UnknownExecutionError,
)
from workflow_runner.store.notices import Notices, signal_topic
from workflow_runner.store.owners import describe_owner, new_owner
from workflow_runner.store.sql_cache import SqlCache
from workflow_runner.store.sql_leases import SqlLeases
from workflow_runner.store.texts import storable

__all__ = ["SqlStore", "execution_values"]

_EXECUTIONS = Schema(name="executions", package="workflow_runner.store.migrations")


class SqlStore:
    """Executions, their logs and what belongs to them, each in a table. Opens and closes its database.

    `owner` is the name under which executions are held: of every open store another one. By default it tells of this
    process, so that others on its machine see when it is gone.
    """

    def __init__(self, database: OpenableDatabase, notices: Notices, owner: str = "") -> None:
        self.database = database
        self.notices = notices
        self._sql = load_statements("workflow_runner.store", database.dialect)
        self._owner = owner or new_owner()
        self.cache = SqlCache(database, self._sql)
        self.leases = SqlLeases(database, self._sql, self._owner, notices)
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._open(stack)
            self._closing = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._closing.aclose()

    async def _open(self, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(self.database)
        await self.database.migrate(_EXECUTIONS)

    async def create(self, execution: ExecutionRecord, log: Sequence[LogRecord], *, held: bool = False) -> None:
        async def transaction(session: Session) -> None:
            try:
                values = execution_values(execution)
                await session.change(self._sql["insert_execution"], **values, owner=self._owner if held else "")
            except DuplicateRowError as error:
                raise self._exists(execution.id) from error
            await self._insert(session, execution.id, 0, log)

        await self.database.run(transaction)

    async def append(
        self, execution_id: str, number: int, log: Sequence[LogRecord], update: ExecutionRecord | None = None
    ) -> None:
        if len(log) == 1 and update is None:
            if not await self._append_one(execution_id, self._event_values(execution_id, number, log[0])):
                head = await self.database.rows(self._sql["select_head"], execution=execution_id)
                raise self._conflict(execution_id, number, head)
            return

        async def transaction(session: Session) -> None:
            head = await session.rows(self._sql["select_head"], execution=execution_id)
            if not head or head[0][0] != number or head[0][1] not in ("", self._owner):
                raise self._conflict(execution_id, number, head)
            await self._insert(session, execution_id, number, log)
            if update is not None:
                await session.change(self._sql["update_execution"], **execution_values(update))

        await self.database.run(transaction)

    def appends_at_once(self, execution_id: str) -> bool:
        return False

    def append_at_once(self, execution_id: str, number: int, record: LogRecord) -> bool:
        return False

    def _event_values(self, execution_id: str, number: int, record: LogRecord) -> Mapping[str, Any]:
        return {
            "execution": execution_id,
            "number": number,
            "owner": self._owner,
            "event": record.event,
            "commands": record.commands,
        }

    async def _append_one(self, execution_id: str, values: Mapping[str, Any]) -> int:
        """The same for one record, in one statement."""
        return await self.database.change(self._sql["append_event"], **values)

    async def _insert(self, session: Session, execution_id: str, number: int, log: Sequence[LogRecord]) -> None:
        rows = [
            {"execution": execution_id, "number": number + offset, "event": record.event, "commands": record.commands}
            for offset, record in enumerate(log)
        ]
        await session.change_many(self._sql["insert_event"], rows)

    async def log(self, execution_id: str) -> Sequence[LogRecord]:
        rows = await self.database.rows(self._sql["select_events"], execution=execution_id)
        if not rows:
            raise self._unknown(execution_id)
        return [LogRecord(event=event, commands=commands) for event, commands in rows]

    async def logs(self, execution_ids: Collection[str]) -> Mapping[str, Sequence[LogRecord]]:
        executions = json.dumps([*execution_ids])
        found: dict[str, list[LogRecord]] = {}
        for execution, event, commands in await self.database.rows(
            self._sql["select_many_events"], executions=executions
        ):
            found.setdefault(execution, []).append(LogRecord(event=event, commands=commands))
        return found

    async def execution(self, execution_id: str) -> ExecutionRecord:
        rows = await self.database.rows(self._sql["select_execution"], id=execution_id)
        if not rows:
            raise self._unknown(execution_id)
        return _execution(rows[0])

    async def executions(self, limit: int = 100) -> Sequence[ExecutionRecord]:
        rows = await self.database.rows(self._sql["select_executions"], limit=limit)
        return [_execution(row) for row in rows]

    async def put_plugin_state(self, execution_id: str, node: str, attempt: int, state: PluginState) -> None:
        kept = await self.database.change(
            self._sql["upsert_plugin_state"],
            execution=execution_id,
            node=node,
            attempt=attempt,
            version=state.version,
            state=state.data,
            owner=self._owner,
        )
        if not kept:
            head = await self.database.rows(self._sql["select_head"], execution=execution_id)
            raise self._conflict(execution_id, None, head)

    async def plugin_states(self, execution_id: str) -> Mapping[tuple[str, int], PluginState]:
        rows = await self.database.rows(self._sql["select_plugin_states"], execution=execution_id)
        return {(node, attempt): PluginState(version=version, data=data) for node, attempt, version, data in rows}

    async def many_plugin_states(
        self, execution_ids: Collection[str]
    ) -> Mapping[str, Mapping[tuple[str, int], PluginState]]:
        executions = json.dumps([*execution_ids])
        rows = await self.database.rows(self._sql["select_many_plugin_states"], executions=executions)
        found: dict[str, dict[tuple[str, int], PluginState]] = {}
        for execution, node, attempt, version, data in rows:
            found.setdefault(execution, {})[node, attempt] = PluginState(version=version, data=data)
        return found

    async def put_signal(self, execution_id: str, signal: str, value: bytes) -> None:
        try:
            await self.database.change(self._sql["insert_signal"], execution=execution_id, signal=signal, value=value)
        except MissingRowError as error:
            raise self._unknown(execution_id) from error
        await self.notices.publish(signal_topic(execution_id))

    async def signals(self, execution_id: str) -> Mapping[str, bytes]:
        rows = await self.database.rows(self._sql["select_signals"], execution=execution_id)
        return dict(rows)

    def _conflict(self, execution_id: str, number: int | None, head: Sequence[Row]) -> StoreError:
        """Why an execution with this head cannot be written by this owner, at this number."""
        if not head:
            return self._unknown(execution_id)
        following, owner = head[0]
        if owner not in ("", self._owner):
            text = f"execution {execution_id!r} cannot be written, another runner has taken the execution over"
            return LogConflictError(f"{text}: {describe_owner(owner)}")
        return LogConflictError(
            f"record {number} of execution {execution_id!r} cannot be written, the log goes on at {following}: "
            "another runner has taken the execution over"
        )

    def _exists(self, execution_id: str) -> ExecutionExistsError:
        return ExecutionExistsError(f"an execution {execution_id!r} exists already in {self.database.where}")

    def _unknown(self, execution_id: str) -> UnknownExecutionError:
        return UnknownExecutionError(f"there is no execution {execution_id!r} in {self.database.where}")


def execution_values(execution: ExecutionRecord) -> dict[str, Any]:
    """The columns of an execution."""
    return {**asdict(execution), "error": storable(execution.error)}


def _execution(row: Row) -> ExecutionRecord:
    identifier, workflow, project, domain, phase, error, started_at, ended_at = row
    return ExecutionRecord(
        id=identifier,
        workflow=workflow,
        project=project,
        domain=domain,
        phase=phase,
        error=error,
        started_at=started_at,
        ended_at=ended_at,
    )
