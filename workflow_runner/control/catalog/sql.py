"""The catalog in the database of the runner's store."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from connectory.database.contract import Database, DuplicateRowError, Row, Schema, Session
from connectory.database.statements import load_statements
from connectory.v1 import identifiers_pb2
from workflow_runner.control.catalog.contract import (
    Entity,
    EntityKey,
    ExecutionKey,
    KnownExecution,
    NameRecord,
    ProjectRecord,
    Taken,
)
from workflow_runner.control.catalog.selecting import selecting
from workflow_runner.control.queries import Query

__all__ = ["SqlCatalog"]

_SCHEMA = Schema(name="control", package="workflow_runner.control.catalog.migrations")


class SqlCatalog:
    """Tables beside those of the executions, whose phases it reads there."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_statements("workflow_runner.control.catalog", database.dialect)

    async def open(self) -> None:
        """Bring the tables up to date; the store must be open."""
        await self._database.migrate(_SCHEMA)

    async def add(self, entity: Entity) -> Entity | None:
        values = asdict(entity) | {"active": int(entity.active)}
        if await self._database.change(self._sql["insert_entity"], **values):
            return None
        return await self.get(entity.key)

    async def get(self, key: EntityKey) -> Entity | None:
        found = await self._entities_where(**key._asdict())
        return found[0] if found else None

    async def entities(self, kind: int, project: str, domain: str, name: str, query: Query) -> Sequence[Entity]:
        named = {"name": name} if name else {}
        return await self._entities(query, kind=kind, project=project, domain=domain, **named)

    async def names(self, kind: int, project: str, domain: str, query: Query) -> Sequence[NameRecord]:
        where = {"kind": kind, "project": project, "domain": domain}
        rest, values = selecting(self._database.dialect, query, "name", **where)
        rows = await self._database.rows(f"{self._sql['entity_names']} {rest}", **values)
        return [NameRecord(project=project, domain=domain, name=name) for project, domain, name in rows]

    async def activate(self, key: EntityKey, active: bool, at: float) -> bool:
        async def transaction(session: Session) -> bool:
            values = {**key._asdict(), "at": at}
            if active:
                await session.change(self._sql["deactivate_others"], **values)
            return bool(await session.change(self._sql["set_active"], **values, active=int(active)))

        return await self._database.run(transaction)

    async def active(self, project: str, domain: str, name: str) -> Entity | None:
        kind = int(identifiers_pb2.LAUNCH_PLAN)
        found = await self._entities_where(kind=kind, project=project, domain=domain, name=name, active=1)
        return found[0] if found else None

    async def active_plans(self, project: str, domain: str, query: Query) -> Sequence[Entity]:
        kind = int(identifiers_pb2.LAUNCH_PLAN)
        return await self._entities(query, kind=kind, project=project, domain=domain, active=1)

    async def accept(self, execution: KnownExecution, *, most: int = 0) -> Taken | None:
        async def transaction(session: Session) -> Taken | None:
            if await session.rows(self._sql["find_name"], **execution.key._asdict()):
                return "name"
            if await session.rows(self._sql["find_id"], id=execution.id):
                return "id"
            if most and await self._unended(session, execution) >= most:
                return "place"
            await session.change(self._sql["insert_execution"], **_asked(execution))
            return None

        try:
            return await self._database.run(transaction)
        except DuplicateRowError:  # somebody else was quicker
            return "name" if await self.execution(execution.key) is not None else "id"

    async def _unended(self, session: Session, execution: KnownExecution) -> int:
        plan = {"project": execution.project, "domain": execution.domain, "launch_plan": execution.launch_plan}
        await session.rows(self._sql["lock_plan"], kind=int(identifiers_pb2.LAUNCH_PLAN), **plan)
        ((number,),) = await session.rows(self._sql["count_unended"], **plan)
        return int(number)

    async def forget(self, key: ExecutionKey) -> None:
        await self._database.change(self._sql["delete_execution"], **key._asdict())

    async def execution(self, key: ExecutionKey) -> KnownExecution | None:
        found = await self._executions_where(**key._asdict())
        return found[0] if found else None

    async def executions(self, project: str, domain: str, query: Query) -> Sequence[KnownExecution]:
        rest, values = selecting(self._database.dialect, query, "name", project=project, domain=domain)
        return list(map(_execution, await self._database.rows(f"{self._sql['executions']} {rest}", **values)))

    async def waiting(self) -> Sequence[KnownExecution]:
        return await self._executions_where(phase="QUEUED")

    async def archive(self, key: ExecutionKey, archived: bool, at: float) -> bool:
        values = {**key._asdict(), "archived": int(archived), "at": at}
        return bool(await self._database.change(self._sql["archive_execution"], **values))

    async def add_project(self, project: ProjectRecord) -> bool:
        return bool(await self._database.change(self._sql["insert_project"], **asdict(project)))

    async def projects(self) -> Sequence[ProjectRecord]:
        rows = await self._database.rows(self._sql["select_projects"])
        return [ProjectRecord(id=project, body=body) for project, body in rows]

    async def _entities(self, query: Query, **equal: Any) -> Sequence[Entity]:
        rest, values = selecting(self._database.dialect, query, "name", "version", **equal)
        return list(map(_entity, await self._database.rows(f"{self._sql['entities']} {rest}", **values)))

    async def _entities_where(self, **equal: Any) -> Sequence[Entity]:
        where = " AND ".join(f"{column} = :{column}" for column in equal)
        return list(map(_entity, await self._database.rows(f"{self._sql['entities']} WHERE {where}", **equal)))

    async def _executions_where(self, **equal: Any) -> Sequence[KnownExecution]:
        where = " AND ".join(f"{column} = :{column}" for column in equal)
        return list(map(_execution, await self._database.rows(f"{self._sql['executions']} WHERE {where}", **equal)))


def _entity(row: Row) -> Entity:
    kind, project, domain, name, version, digest, body, created_at, active, updated_at = row
    return Entity(
        kind=kind,
        project=project,
        domain=domain,
        name=name,
        version=version,
        digest=digest,
        body=bytes(body),
        created_at=created_at,
        active=bool(active),
        updated_at=updated_at,
    )


_EXECUTION_COLUMNS = (
    *("project", "domain", "name", "id", "request", "mode", "launch_plan", "launch_plan_version", "workflow"),
    *("workflow_version", "task", "created_at", "archived", "archived_at", "phase", "error", "started_at", "ended_at"),
)
_ASKED_COLUMNS = _EXECUTION_COLUMNS[:12]


def _execution(row: Row) -> KnownExecution:
    values = dict(zip(_EXECUTION_COLUMNS, row, strict=True))
    return KnownExecution(**{**values, "archived": bool(values["archived"]), "request": bytes(values["request"])})


def _asked(execution: KnownExecution) -> dict[str, Any]:
    return {column: getattr(execution, column) for column in _ASKED_COLUMNS}
