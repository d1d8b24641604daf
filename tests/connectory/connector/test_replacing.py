"""A connector is replaced while it works: what began with the old one ends with it, and then it is closed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from connectory.connector.contract import CreateContext, JobContext, Phase, Resource
from connectory.connector.dispatch import Dispatcher
from connectory.connector.job_policies import Policies
from connectory.connector.limits import LimitChanges
from connectory.connector.registry import Registry
from connectory.errors import NotFoundError, RegistryError, UserError
from connectory.storage import default_storage
from connectory.testing import FakeSecrets
from connectory.types import default_types
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import tasks_pb2
from tests.connectory.connector.fakes import FakeConfig, FakeConnector, FakeJob

TASK = tasks_pb2.TaskTemplate(type="fake")


class Closing(FakeConnector):
    """Its creates wait until the test lets them go on."""

    def __init__(self, said: str = "") -> None:
        super().__init__()
        self.said = said
        self.began = asyncio.Event()
        self.go = asyncio.Event()
        self.closed = asyncio.Event()

    async def create(self, ctx: CreateContext[FakeConfig]) -> FakeJob:
        self.began.set()
        await self.go.wait()
        assert not self.closed.is_set()
        if self.said:
            raise UserError(self.said)
        return await super().create(ctx)

    async def close(self) -> None:
        self.closed.set()


@asynccontextmanager
async def opened(connector: Any) -> AsyncIterator[Dispatcher]:
    registry = Registry()
    registry.register(connector)
    dispatcher = Dispatcher(
        registry,
        secrets=FakeSecrets(),
        storage=default_storage(),
        types=default_types(),
        limits={"fake": LimitChanges(jobs=5)},
    )
    try:
        yield dispatcher
    finally:
        await dispatcher.aclose()


def replace(dispatcher: Dispatcher, *connectors: Any) -> None:
    registry = Registry()
    for connector in connectors:
        registry.register(connector)
    dispatcher.change(registry, policies=Policies(), limits={})


def request(key: str) -> pb.CreateTaskRequest:
    return pb.CreateTaskRequest(template=TASK, idempotency_key=key)


async def within_reason(event: asyncio.Event) -> None:
    async with asyncio.timeout(20):
        await event.wait()


@pytest.mark.parametrize("caller_stays", [True, False])
async def test_a_create_under_way_ends_with_the_connector_that_it_began_with(caller_stays: bool) -> None:
    old, new = Closing(), Closing()
    new.system = old.system
    new.go.set()
    async with opened(old) as dispatcher:
        create = asyncio.create_task(dispatcher.create(request("1")))
        await old.began.wait()
        replace(dispatcher, new)
        assert (await dispatcher.create(request("2"))).resource_meta
        if not caller_stays:
            create.cancel()
            await asyncio.wait([create])
        assert dispatcher.retiring == 1
        assert not old.closed.is_set()
        old.go.set()
        handle = (await dispatcher.create(request("1"))).resource_meta
        if caller_stays:
            assert (await create).resource_meta == handle
        del create
        await within_reason(old.closed)
        category = pb.TaskCategory(name="fake")
        answer = await dispatcher.get(pb.GetTaskRequest(task_category=category, resource_meta=handle))
        assert answer.resource.phase
        assert not new.closed.is_set()
    assert new.closed.is_set()
    assert dispatcher.retiring == 0


async def test_a_connector_whose_last_call_failed_is_closed_too() -> None:
    old = Closing(said="no")
    async with opened(old) as dispatcher:
        old.go.set()
        with pytest.raises(UserError, match="no"):
            await dispatcher.create(request("1"))
        replace(dispatcher, Closing())
        await within_reason(old.closed)


async def test_a_connector_that_is_removed_is_unknown_and_closed() -> None:
    old = Closing()
    async with opened(old) as dispatcher:
        replace(dispatcher)
        with pytest.raises(NotFoundError, match="no connector is registered"):
            await dispatcher.create(request("1"))
        await within_reason(old.closed)


async def test_a_connector_that_is_still_used_when_the_service_ends_is_closed_with_it() -> None:
    old = Closing()
    async with opened(old) as dispatcher:
        kept = dispatcher.registry.list()[0]
        replace(dispatcher)
    assert old.closed.is_set()
    assert kept.name


async def test_limits_that_cannot_be_replace_nothing() -> None:
    old, wrong = Closing(), Closing()
    wrong.limits = "many"  # type: ignore[assignment, misc]
    async with opened(old) as dispatcher:
        with pytest.raises(RegistryError):
            replace(dispatcher, wrong)
        assert dispatcher.registry.list()[0].connector is old


class Telling(FakeConnector):
    """All its jobs have ended; it says who says so."""

    def __init__(self, said: str) -> None:
        super().__init__()
        self.said = said
        self.asked = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def get(self, job: FakeJob, ctx: JobContext) -> Resource:
        self.asked.set()
        await self.go.wait()
        return Resource(phase=Phase.FAILED, message=self.said)


async def test_what_the_old_one_said_of_a_job_is_not_told_for_the_new_one() -> None:
    async def told(job: str) -> str:
        handle = json.dumps({"v": 1, "category": "fake@0", "job": {"job_id": job}}).encode()
        category = pb.TaskCategory(name="fake")
        answer = await dispatcher.get(pb.GetTaskRequest(resource_meta=handle, task_category=category))
        return str(answer.resource.message)

    old = Telling("old")
    async with opened(old) as dispatcher:
        assert await told("early") == "old"
        old.asked.clear()
        old.go.clear()
        late = asyncio.create_task(told("late"))
        await within_reason(old.asked)
        replace(dispatcher, Telling("new"))
        assert [await told("early"), await told("late")] == ["new", "new"]
        old.go.set()
        assert await late == "old"
        assert await told("late") == "new"
