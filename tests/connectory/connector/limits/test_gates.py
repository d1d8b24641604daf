"""Connectors behind limits: the real dispatcher, in memory, with a clock that the tests move."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectory.connector.contract import CreateContext, JobContext, Phase, Resource, SyncConnector
from connectory.connector.dispatch import Dispatcher
from connectory.connector.ledger import Ledger
from connectory.connector.ledger.sqlite import SqliteLedger
from connectory.connector.limits import LimitChanges, Limits
from connectory.connector.limits.gates import Gates, LimitCount
from connectory.connector.registry import Registry
from connectory.errors import InvalidTaskError, RateLimitedError, RegistryError
from connectory.storage import default_storage
from connectory.testing import FakeSecrets
from connectory.types import default_types
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import literals_pb2, tasks_pb2
from tests.connectory.connector.fakes import FakeConfig, FakeConnector, FakeJob

TASK = tasks_pb2.TaskTemplate(type="fake")


class _Alarm:
    def __init__(self) -> None:
        self.is_set = True

    def cancel(self) -> None:
        self.is_set = False


class MovedClock:
    """Time that passes when a test says so, and what was to happen meanwhile."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._alarms: list[tuple[float, int, _Alarm, Callable[[], Any]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], Any], /) -> _Alarm:
        alarm = _Alarm()
        heapq.heappush(self._alarms, (self.now + delay, len(self._alarms), alarm, callback))
        return alarm

    async def pass_by(self, seconds: float) -> None:
        until = self.now + seconds
        while self._alarms and self._alarms[0][0] <= until:
            self.now, _, alarm, callback = heapq.heappop(self._alarms)
            if alarm.is_set:
                callback()
            await settled()
        self.now = until
        await settled()


async def settled() -> None:
    """Let everything go on that can go on by itself."""
    for _ in range(20):
        await asyncio.sleep(0)


class Limited(FakeConnector):
    """Its jobs run until a test ends them; what it raises next is said by the test."""

    limits = Limits()

    def __init__(self, **limits: Any) -> None:
        super().__init__()
        self.limits = Limits(**limits)  # type: ignore[misc]
        self.next = Resource(phase=Phase.RUNNING)
        self.trouble: Exception | None = None
        self.keys: list[str] = []

    async def create(self, ctx: CreateContext[FakeConfig]) -> FakeJob:
        if self.trouble is not None:
            raise self.trouble
        self.keys.append(ctx.idempotency_key)
        return await super().create(ctx)

    async def get(self, job: FakeJob, ctx: JobContext) -> Resource:
        if self.trouble is not None:
            raise self.trouble
        return await super().get(job, ctx)


class Service:
    """A dispatcher, asked as clients ask."""

    def __init__(self, dispatcher: Dispatcher, clock: MovedClock) -> None:
        self.dispatcher = dispatcher
        self.clock = clock

    def create(self, key: str, *, project: str = "", account: str = "") -> "asyncio.Task[bytes]":
        request = pb.CreateTaskRequest(template=TASK, idempotency_key=key)
        request.task_execution_metadata.task_execution_id.node_execution_id.execution_id.project = project
        if account:
            request.connection.configs["account"] = account

        async def created() -> bytes:
            return (await self.dispatcher.create(request)).resource_meta

        return asyncio.create_task(created())

    async def get(self, handle: bytes) -> pb.GetTaskResponse:
        return await self.dispatcher.get(
            pb.GetTaskRequest(task_category=pb.TaskCategory(name="fake"), resource_meta=handle)
        )

    async def delete(self, handle: bytes = b"", key: str = "") -> None:
        request = pb.DeleteTaskRequest(task_category=pb.TaskCategory(name="fake"), resource_meta=handle)
        request.idempotency_key = key
        await self.dispatcher.delete(request)

    @property
    def count(self) -> LimitCount:
        (count,) = self.dispatcher.gates.counts()
        return count


@asynccontextmanager
async def service(connector: Any, ledger: Ledger | None = None, **changes: LimitChanges) -> AsyncIterator[Service]:
    registry, clock = Registry(), MovedClock()
    registry.register(connector)
    dispatcher = Dispatcher(
        registry,
        secrets=FakeSecrets(),
        storage=default_storage(),
        types=default_types(),
        ledger=ledger,
        limits=changes,
        timers=clock,
    )
    try:
        yield Service(dispatcher, clock)
    finally:
        await dispatcher.aclose()


async def refused(task: "asyncio.Task[bytes]") -> RateLimitedError:
    with pytest.raises(RateLimitedError) as caught:
        await task
    assert caught.value.reason == "LIMIT_REACHED"
    assert caught.value.retry_after is not None
    return caught.value


async def test_creates_go_at_their_rate_and_projects_take_turns() -> None:
    connector = Limited(creates_per_second=1, wait=100)
    async with service(connector) as opened:
        for number in range(5):
            opened.create(f"greedy-{number}", project="greedy")
        await settled()
        opened.create("modest", project="modest")
        await settled()
        assert connector.keys == ["greedy-0"]
        assert opened.count.waiting["create"] == 5
        await opened.clock.pass_by(2)
        assert connector.keys == ["greedy-0", "greedy-1", "modest"]
        await opened.clock.pass_by(3)
        assert len(connector.keys) == 6
        assert opened.count.waiting["create"] == 0


async def test_a_create_that_would_wait_too_long_is_told_when_to_come_again() -> None:
    connector = Limited(creates_per_second=0.1, wait=5)
    async with service(connector) as opened:
        await opened.create("first")
        error = await refused(opened.create("second"))
        assert error.retry_after == timedelta(seconds=10)
        assert "connector Fake may be called 0.1 times a second" in error.message
        assert opened.count.refused == {"create": 1, "get": 0, "delete": 0}
        await opened.clock.pass_by(10)
        await opened.create("second")
    assert connector.keys == ["first", "second"]


async def test_a_create_that_happened_already_is_answered_without_a_turn() -> None:
    async with service(Limited(creates_per_second=0.1, wait=0)) as opened:
        assert await opened.create("key") == await opened.create("key")


@pytest.mark.parametrize("keys", [("second", "third"), ("", "")])
async def test_a_create_that_is_refused_is_not_written_down(keys: tuple[str, str], tmp_path: Path) -> None:
    class Watched(SqliteLedger):
        asked = 0

        async def once(self, *asked: Any) -> bytes:
            self.asked += 1
            return await super().once(*asked)

    ledger = Watched(tmp_path / "ledger.sqlite")
    connector = Limited(creates_per_second=0.1, wait=0)
    async with service(connector, ledger=ledger) as opened:
        first = await opened.create("first")
        for key in keys:
            assert (await refused(opened.create(key))).retry_after == timedelta(seconds=10)
        assert (ledger.asked, opened.count.refused["create"]) == (1, 2)
        assert await opened.create("first") == first
        await opened.clock.pass_by(10)
        await opened.create(keys[0])
    assert len(connector.keys) == 2


async def test_polls_have_a_rate_of_their_own() -> None:
    async with service(Limited(polls_per_second=1, poll_burst=2, wait=0)) as opened:
        handle = await opened.create("key")
        await opened.get(handle)
        await opened.get(handle)
        with pytest.raises(RateLimitedError):
            await opened.get(handle)
        await opened.clock.pass_by(1)
        await opened.get(handle)
        await opened.create("another")


async def test_polls_take_turns_between_the_projects_of_their_jobs() -> None:
    connector = Limited(polls_per_second=1, poll_burst=1, wait=60)
    async with service(connector) as called:
        busy = [await called.create(f"busy {number}", project="busy") for number in range(3)]
        quiet = await called.create("quiet", project="quiet")
        await called.get(busy[0])
        polls = {name: asyncio.create_task(called.get(handle)) for name, handle in zip("123", busy, strict=True)}
        await settled()
        polls["quiet"] = asyncio.create_task(called.get(quiet))
        order: list[str] = []
        for _ in range(4):
            await called.clock.pass_by(1)
            order += [name for name, poll in polls.items() if poll.done() and name not in order]
        assert order == ["1", "quiet", "2", "3"]


@pytest.mark.parametrize("end", ["poll", "gone", "delete", "delete by key"])
async def test_a_job_takes_its_place_until_it_is_known_to_be_over(end: str) -> None:
    connector = Limited(jobs=1, wait=60)
    async with service(connector) as opened:
        handle = await opened.create("first")
        await opened.get(handle)
        waiting = opened.create("second")
        await settled()
        assert (opened.count.jobs, opened.count.waiting["create"]) == (1, 1)
        assert connector.keys == ["first"]
        if end == "poll":
            connector.next = Resource(phase=Phase.FAILED)
            await opened.get(handle)
        elif end == "gone":
            connector.next = None
            connector.system.jobs.clear()
            with pytest.raises(Exception, match="there is no job"):
                await opened.get(handle)
        else:
            await (opened.delete(handle) if end == "delete" else opened.delete(key="first"))
        await waiting
        assert connector.keys == ["first", "second"]
        assert opened.count.jobs == 1


async def test_a_job_that_nobody_asks_about_here_gives_its_place_up() -> None:
    async with service(Limited(jobs=1, wait=0)) as opened:
        handle = await opened.create("first")
        await opened.clock.pass_by(599)
        await opened.get(handle)
        await opened.clock.pass_by(599)
        await refused(opened.create("second"))
        await opened.clock.pass_by(2)
        await opened.create("second")
        await opened.delete(handle)
        assert opened.count.jobs == 1


async def test_a_create_that_failed_takes_no_place() -> None:
    connector = Limited(jobs=1, wait=0)
    async with service(connector) as opened:
        connector.trouble = InvalidTaskError("no")
        with pytest.raises(InvalidTaskError):
            await opened.create("first")
        connector.trouble = None
        await opened.create("second")
        error = await refused(opened.create("third"))
    assert "may have 1 open jobs, and has them" in error.message


async def test_a_create_waits_no_longer_than_it_may() -> None:
    async with service(Limited(jobs=1, wait=5)) as opened:
        await opened.create("first")
        waiting = opened.create("second")
        await settled()
        await opened.clock.pass_by(4.9)
        assert not waiting.done()
        await opened.clock.pass_by(0.1)
        await refused(waiting)
        assert (opened.count.waiting["create"], opened.count.refused["create"]) == (0, 1)


async def test_callers_with_other_credentials_have_limits_of_their_own() -> None:
    async with service(Limited(jobs=1, wait=0)) as opened:
        await opened.create("1", account="a")
        await opened.create("2", account="b")
        await opened.create("3")
        await refused(opened.create("4", account="a"))


@pytest.mark.parametrize("limits", [{}, {"creates_per_second": 100.0}])
async def test_what_one_caller_is_told_to_wait_holds_for_all_of_the_same_credential(limits: dict[str, float]) -> None:
    connector = Limited(**limits, wait=1)
    async with service(connector) as opened:
        handle = await opened.create("first")
        connector.trouble = RateLimitedError("slow down", retry_after=timedelta(seconds=30))
        with pytest.raises(RateLimitedError, match="slow down"):
            await opened.get(handle)
        connector.trouble = None
        await opened.clock.pass_by(10)
        error = await refused(opened.create("second"))
        assert error.retry_after == timedelta(seconds=20)
        assert "the external system asked to be left alone" in error.message
        with pytest.raises(RateLimitedError):
            await opened.get(handle)
        await opened.create("other credential", account="b")
        await opened.clock.pass_by(20)
        await opened.create("second")
        await opened.get(handle)


async def test_a_poll_whose_caller_goes_away_leaves_the_queue() -> None:
    async with service(Limited(polls_per_second=0.5, wait=60)) as opened:
        handle = await opened.create("first")
        await opened.get(handle)
        given_up, waiting = (asyncio.create_task(opened.get(handle)) for _ in range(2))
        await settled()
        given_up.cancel()
        await settled()
        assert opened.count.waiting["get"] == 1
        await opened.clock.pass_by(2)
        assert waiting.done()


async def test_operators_change_single_limits_for_all_or_by_name() -> None:
    connector = Limited(jobs=1, wait=0)
    changes = {"*": LimitChanges(jobs=3, creates_per_second=0.1), "fake": LimitChanges(creates_per_second=None)}
    async with service(connector, **changes) as opened:
        for number in range(3):
            await opened.create(str(number))
        await refused(opened.create("3"))


async def test_nothing_is_kept_where_nothing_is_limited() -> None:
    connector = Limited()
    async with service(connector) as opened:
        for number in range(10):
            await opened.create(str(number))
        assert list(opened.dispatcher.gates.counts()) == []


class OneAtATime(SyncConnector[FakeConfig]):
    name = "One"
    task_type = "one"
    limits = Limits(jobs=1)

    def __init__(self) -> None:
        self.running = 0
        self.most = 0

    async def execute(self, ctx: CreateContext[FakeConfig]) -> Resource:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        return Resource(phase=Phase.SUCCEEDED)


async def test_calls_of_a_sync_connector_are_limited_alike() -> None:
    connector = OneAtATime()
    header = pb.CreateRequestHeader(template=tasks_pb2.TaskTemplate(type="one"))
    async with service(connector) as opened:
        calls = [opened.dispatcher.complete(header, literals_pb2.LiteralMap()) for _ in range(10)]
        assert {resource.phase for resource in await asyncio.gather(*calls)} == {Phase.SUCCEEDED}
        assert opened.count.jobs == 0
    assert connector.most == 1


@pytest.mark.parametrize(
    ("given", "named"), [({"jobs": 0}, "jobs=0"), ({"creates_per_second": 0}, "above 0"), ({"wait": -1}, "wait=-1")]
)
def test_limits_that_cannot_be_are_refused(given: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Limits(**given)


def test_a_connector_whose_limits_are_something_else_is_named() -> None:
    connector = FakeConnector()
    registration = Registry().register(connector)
    connector.limits = {"jobs": 3}  # type: ignore[misc, assignment]
    with pytest.raises(RegistryError, match="connector Fake declares limits="):
        Gates({}).of(registration)
