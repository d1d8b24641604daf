"""The catalog, on SQLite and on PostgreSQL alike."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectory.v1 import control_pb2, identifiers_pb2, launch_plan_pb2
from workflow_runner.control.catalog.contract import (
    ENTITY_FIELDS,
    EXECUTION_FIELDS,
    NAME_FIELDS,
    Entity,
    EntityKey,
    KnownExecution,
    ProjectRecord,
)
from workflow_runner.control.catalog.sql import SqlCatalog
from workflow_runner.control.queries import Query, query_of
from workflow_runner.store.contract import ExecutionRecord, LogRecord, Store
from workflow_runner.store.opening import open_store

PLAN = int(identifiers_pb2.LAUNCH_PLAN)


def entity(version: str, name: str = "plan", created_at: float = 1.0) -> Entity:
    return Entity(
        kind=PLAN,
        project="p",
        domain="d",
        name=name,
        version=version,
        digest=f"digest of {version}",
        body=version.encode(),
        created_at=created_at,
        updated_at=created_at,
    )


def execution(name: str, created_at: float = 1.0, **fields: object) -> KnownExecution:
    known = KnownExecution(
        project="p",
        domain="d",
        name=name,
        id=name,
        request=b"request",
        mode="MANUAL",
        launch_plan="plan",
        launch_plan_version="1",
        workflow="flow",
        workflow_version="1",
        created_at=created_at,
    )
    return replace(known, **fields)  # type: ignore[arg-type]


def query(fields: object = EXECUTION_FIELDS, **request: object) -> Query:
    order = request.pop("order", "created_at")
    asked = control_pb2.ResourceListRequest(**request)  # type: ignore[arg-type]
    return query_of(asked, fields, order=str(order))  # type: ignore[arg-type]


class CatalogSuite:
    """What every catalog does."""

    async def test_the_first_content_of_a_version_stays(self, catalog: SqlCatalog) -> None:
        assert await catalog.add(entity("1")) is None
        assert await catalog.add(replace(entity("1"), digest="other", body=b"other")) == entity("1")
        assert await catalog.get(entity("1").key) == entity("1")
        assert await catalog.get(EntityKey(PLAN, "p", "d", "plan", "2")) is None

    async def test_at_most_one_version_is_active(self, catalog: SqlCatalog) -> None:
        for version in ("1", "2"):
            await catalog.add(entity(version))
            assert await catalog.activate(entity(version).key, True, 5.0)
        active = await catalog.active("p", "d", "plan")
        assert active is not None
        assert (active.version, active.updated_at) == ("2", 5.0)
        assert await catalog.activate(entity("2").key, True, 6.0)
        assert await catalog.active("p", "d", "plan") == active, "it has been active since then"
        assert [each.version for each in await catalog.active_plans("p", "d", query(ENTITY_FIELDS))] == ["2"]
        assert await catalog.activate(entity("2").key, False, 6.0)
        assert await catalog.active("p", "d", "plan") is None
        assert not await catalog.activate(entity("3").key, True, 7.0)

    async def test_versions_and_names_are_listed(self, catalog: SqlCatalog) -> None:
        for number in range(3):
            await catalog.add(entity(str(number), created_at=float(number)))
        await catalog.add(entity("1", name="another"))
        versions = await catalog.entities(PLAN, "p", "d", "plan", query(ENTITY_FIELDS, limit=2))
        assert [each.version for each in versions] == ["2", "1", "0"]  # one more than the limit
        found = await catalog.entities(PLAN, "p", "d", "", query(ENTITY_FIELDS, filters="contains(name,not)"))
        assert [each.name for each in found] == ["another"]
        named = query_of(control_pb2.ResourceListRequest(limit=10), NAME_FIELDS, order="name", descending=False)
        assert [each.name for each in await catalog.names(PLAN, "p", "d", named)] == ["another", "plan"]
        assert await catalog.names(PLAN, "p", "other", named) == []

    async def test_a_name_and_an_id_are_taken_once(self, catalog: SqlCatalog, store: Store) -> None:
        assert await catalog.accept(execution("one")) is None
        assert await catalog.accept(execution("one")) == "name"
        assert await catalog.accept(execution("two", id="one")) == "id"
        record = ExecutionRecord(id="run", workflow="flow", phase="RUNNING", started_at=1.0)
        await store.create(record, [LogRecord(event=b"", commands=b"")])
        assert await catalog.accept(execution("run")) == "id"
        await catalog.forget(execution("one").key)
        assert await catalog.accept(execution("one")) is None

    async def test_of_many_who_ask_at_once_so_many_get_a_place(self, catalog: SqlCatalog) -> None:
        await catalog.add(entity("1"))
        answers = await asyncio.gather(*(catalog.accept(execution(f"e{number}"), most=3) for number in range(12)))
        assert sorted(answers, key=str) == [None, None, None] + ["place"] * 9

    async def test_an_execution_stands_where_the_runner_says(self, catalog: SqlCatalog, store: Store) -> None:
        await catalog.accept(execution("one"))
        known = await catalog.execution(execution("one").key)
        assert known == execution("one")
        assert [each.name for each in await catalog.waiting()] == ["one"]
        record = ExecutionRecord(
            id="one", workflow="flow", phase="FAILED", error="it broke", started_at=2.0, ended_at=5.0
        )
        await store.create(record, [LogRecord(event=b"", commands=b"")])
        known = await catalog.execution(execution("one").key)
        assert known is not None
        assert (known.phase, known.error, known.duration) == ("FAILED", "it broke", 3.0)
        assert await catalog.waiting() == []

    @pytest.mark.parametrize(
        ("request_fields", "names"),
        [
            ({}, ["third", "second", "first"]),
            ({"filters": "eq(phase,FAILED)"}, ["second"]),
            ({"filters": "ne(phase,FAILED)+lt(created_at,1970-01-01T00:00:03Z)"}, ["first"]),
            ({"filters": "value_not_in(name,first;third)"}, ["second"]),
            ({"filters": "value_in(phase,QUEUED;FAILED)"}, ["third", "second", "first"]),
            ({"filters": "gte(duration,3)"}, ["second"]),
            ({"filters": "gt(started_at,1970-01-01T00:00:01Z)"}, ["second"]),
            ({"filters": "contains(name,ir)"}, ["third", "first"]),
            ({"filters": "eq(state,EXECUTION_ARCHIVED)"}, ["third"]),
            ({"filters": "eq(name,it's)"}, []),
            ({"limit": 1, "token": "1"}, ["second", "first"]),
            ({"sort_by": launch_plan_pb2.Sort(key="started_at")}, ["second", "third", "first"]),
            (
                {"sort_by": launch_plan_pb2.Sort(key="name", direction=launch_plan_pb2.Sort.ASCENDING)},
                ["first", "second", "third"],
            ),
        ],
    )
    async def test_executions_are_found(
        self, catalog: SqlCatalog, store: Store, request_fields: dict[str, object], names: list[str]
    ) -> None:
        for number, name in enumerate(("first", "second", "third"), 1):
            await catalog.accept(execution(name, float(number)))
        record = ExecutionRecord(id="second", workflow="flow", phase="FAILED", started_at=2.0, ended_at=5.0)
        await store.create(record, [LogRecord(event=b"", commands=b"")])
        assert await catalog.archive(execution("third").key, True, 9.0)
        found = await catalog.executions("p", "d", query(**request_fields))
        assert [each.name for each in found] == names

    async def test_projects_are_kept(self, catalog: SqlCatalog) -> None:
        assert await catalog.add_project(ProjectRecord(id="b", body=b"1"))
        assert await catalog.add_project(ProjectRecord(id="a", body=b"2"))
        assert not await catalog.add_project(ProjectRecord(id="a", body=b"3"))
        assert [(each.id, each.body) for each in await catalog.projects()] == [("a", b"2"), ("b", b"1")]


class TestOnSqlite(CatalogSuite):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[Store]:
        async with open_store(f"sqlite:///{tmp_path / 'runner.db'}") as opened:
            yield opened

    @pytest.fixture
    async def catalog(self, store: Store) -> SqlCatalog:
        return await opened_catalog(store)


class TestOnPostgres(CatalogSuite):
    @pytest.fixture
    async def store(self, postgres_url: str) -> AsyncIterator[Store]:
        async with open_store(postgres_url) as opened:
            yield opened

    @pytest.fixture
    async def catalog(self, store: Store) -> SqlCatalog:
        return await opened_catalog(store)


async def opened_catalog(store: Store) -> SqlCatalog:
    catalog = SqlCatalog(store.database)
    await catalog.open()
    await catalog.open()  # costs nothing, changes nothing
    return catalog
