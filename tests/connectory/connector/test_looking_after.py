"""Jobs are ended by whoever knows their handle or key, and by the reaper when nobody looks after them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectory.connector.contract import CreateContext, JobContext, Phase, Resource
from connectory.connector.dispatch import Dispatcher
from connectory.connector.job_policies import Policies
from connectory.connector.ledger import Ledger, MemoryLedger
from connectory.connector.ledger.records import JobQuery, JobState
from connectory.connector.ledger.sqlite import SqliteLedger
from connectory.connector.reaping import Outcome
from connectory.connector.registry import Registry
from connectory.errors import AmbiguousError, InvalidTaskError, NotFoundError, UnavailableError, UserError
from connectory.storage import default_storage
from connectory.testing import FakeSecrets, task_call
from connectory.types import default_types
from connectory.v1 import connector_pb2 as pb
from tests.connectory.connector.fakes import FakeConfig, FakeConnector, FakeJob

TASK = task_call("fake", inputs={"x": 1}, outputs={"x": int})
SHORT = 0.05

Open = Callable[..., AbstractAsyncContextManager[Dispatcher]]


class Working(FakeConnector):
    """Its jobs go on until they are ended; deletes fail as often as it is told."""

    on_orphan = "delete"
    lease = timedelta(seconds=SHORT)

    def __init__(self) -> None:
        super().__init__()
        self.next = Resource(phase=Phase.RUNNING)
        self.failing_deletes = 0
        self.deletes = 0

    async def get(self, job: FakeJob, ctx: JobContext) -> Resource:
        if job.job_id not in self.system.jobs:
            raise NotFoundError(f"there is no job {job.job_id}")
        return await super().get(job, ctx)

    async def delete(self, job: FakeJob, ctx: JobContext) -> None:
        self.deletes += 1
        if self.failing_deletes:
            self.failing_deletes -= 1
            raise UnavailableError("not now")
        await super().delete(job, ctx)


class Blind(Working):
    """Cannot look for jobs, and does not know how its first create ended."""

    find = FakeConnector.__mro__[1].find  # type: ignore[assignment]
    lost = 1

    async def create(self, ctx: CreateContext[FakeConfig]) -> FakeJob:
        job = await super().create(ctx)
        if self.lost:
            self.lost -= 1
            raise AmbiguousError("the connection broke")
        return job


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    return MemoryLedger() if request.param == "memory" else SqliteLedger(tmp_path / "ledger.sqlite")


@pytest.fixture
def opened(ledger: Ledger) -> Open:
    @asynccontextmanager
    async def open_one(connector: FakeConnector, **policies: Any) -> AsyncIterator[Dispatcher]:
        registry = Registry()
        registry.register(connector)
        dispatcher = Dispatcher(
            registry,
            secrets=FakeSecrets(),
            storage=default_storage(),
            types=default_types(),
            ledger=ledger,
            policies=Policies(**policies),
        )
        try:
            yield dispatcher
        finally:
            await dispatcher.aclose()

    return open_one


async def created(dispatcher: Dispatcher, key: str = "k") -> bytes:
    return (await dispatcher.create(TASK.create_request(key))).resource_meta


def by_key(key: str = "k") -> pb.DeleteTaskRequest:
    request = TASK.delete_request(b"")
    request.idempotency_key = key
    return request


class Hanging(Working):
    """Never answers when it is asked for the first of its jobs."""

    async def get(self, job: FakeJob, ctx: JobContext) -> Resource:
        if job.job_id == "job-1":
            await asyncio.Event().wait()
        return await super().get(job, ctx)


async def until(dispatcher: Dispatcher, state: JobState, key: str = "k") -> None:
    async with asyncio.timeout(20):
        while (await dispatcher.jobs.show(key)).state is not state:  # noqa: ASYNC110 - the event is in the ledger
            await asyncio.sleep(0.01)


async def reaped(dispatcher: Dispatcher) -> list[Outcome]:
    """What the first round that finds something does."""
    async with asyncio.timeout(20):
        while not (done := await dispatcher.jobs.reap(dry_run=False)):  # noqa: ASYNC110 - a lease ends by itself
            await asyncio.sleep(0.01)
    return [one.outcome for one in done]


async def test_a_job_is_deleted_by_its_key_without_its_handle(opened: Open) -> None:
    connector = Working()
    async with opened(connector) as dispatcher:
        handle = await created(dispatcher)
        await dispatcher.delete(by_key())
        await dispatcher.delete(by_key())
        assert (connector.system.jobs, connector.deletes) == ({}, 1)
        assert (await dispatcher.jobs.show("k")).state is JobState.DELETED
        assert await created(dispatcher) == handle
        assert connector.system.created == 1


async def test_a_job_that_was_deleted_by_its_handle_is_known_as_deleted(opened: Open) -> None:
    async with opened(Working()) as dispatcher:
        await dispatcher.delete(TASK.delete_request(await created(dispatcher)))
        assert (await dispatcher.jobs.show("k")).state is JobState.DELETED


async def test_a_key_that_is_deleted_before_its_create_arrives_creates_nothing(opened: Open) -> None:
    connector = Working()
    async with opened(connector) as dispatcher:
        await dispatcher.delete(by_key())
        with pytest.raises(UserError, match="deleted before it was created") as refused:
            await created(dispatcher)
        assert refused.value.reason == "DELETED"
        assert connector.system.created == 0


async def test_a_delete_during_the_create_waits_for_it_and_ends_its_job(opened: Open) -> None:
    connector = Working()
    connector.system.may_go_on.clear()
    async with opened(connector) as dispatcher:
        creating = asyncio.create_task(created(dispatcher))
        await connector.system.reached.wait()
        deleting = asyncio.create_task(dispatcher.delete(by_key()))
        await until(dispatcher, JobState.DELETING)
        connector.system.may_go_on.set()
        await deleting
        assert (connector.system.created, connector.system.jobs) == (1, {})
        await creating


async def test_a_key_of_another_category_is_not_deleted(opened: Open, ledger: Ledger) -> None:
    class Other(Working):
        name = "Other"
        task_type = "other"

    connector = Working()
    async with opened(connector) as dispatcher:
        dispatcher.registry.register(Other())
        await created(dispatcher)
        request = by_key()
        request.task_category.name = "other"
        with pytest.raises(InvalidTaskError, match="belongs to fake@0"):
            await dispatcher.delete(request)
        assert len(connector.system.jobs) == 1


async def test_a_delete_that_fails_is_told_and_tried_again_until_it_is_confirmed(opened: Open) -> None:
    connector = Working()
    connector.failing_deletes = 2
    async with opened(connector) as dispatcher:
        handle = await created(dispatcher)
        with pytest.raises(UnavailableError, match="not now"):
            await dispatcher.delete(TASK.delete_request(handle))
        await until(dispatcher, JobState.DELETED)
        assert connector.system.jobs == {}


async def test_a_delete_by_key_that_fails_is_the_reapers(opened: Open) -> None:
    connector = Working()
    connector.failing_deletes = 1
    async with opened(connector) as dispatcher:
        await created(dispatcher)
        with pytest.raises(UnavailableError, match="not now"):
            await dispatcher.delete(by_key())
        assert (await dispatcher.jobs.show("k")).state is JobState.DELETING
        assert await reaped(dispatcher) == [Outcome.REMOVED]
        assert connector.system.jobs == {}


async def test_a_delete_whose_caller_goes_away_is_done_all_the_same(opened: Open) -> None:
    class Slow(Working):
        reached = asyncio.Event()

        async def delete(self, job: FakeJob, ctx: JobContext) -> None:
            if not self.reached.is_set():
                self.reached.set()
                await asyncio.Event().wait()
            await super().delete(job, ctx)

    connector = Slow()
    connector.reached = asyncio.Event()
    async with opened(connector) as dispatcher:
        handle = await created(dispatcher)
        deleting = asyncio.create_task(dispatcher.delete(TASK.delete_request(handle)))
        await connector.reached.wait()
        deleting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await deleting
        await until(dispatcher, JobState.DELETED)
        assert connector.system.jobs == {}


async def test_a_job_without_a_key_is_listed_and_can_be_ended_like_any_other(opened: Open) -> None:
    connector = Working()
    async with opened(connector) as dispatcher:
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        another = (await dispatcher.create(TASK.create_request())).resource_meta
        first, second = await dispatcher.jobs.list(JobQuery())
        assert {first.handle, second.handle} == {handle, another}
        assert (await dispatcher.jobs.delete(first.key)).state is JobState.DELETED
        assert [record.key for record in await dispatcher.jobs.list(JobQuery())] == [second.key]
        assert len(connector.system.jobs) == 1
        assert await reaped(dispatcher) == [Outcome.REMOVED]
        assert connector.system.jobs == {}


async def test_a_job_without_a_key_whose_caller_went_away_is_ended_and_known_as_deleted(opened: Open) -> None:
    connector = Working()
    connector.system.may_go_on.clear()
    async with opened(connector) as dispatcher:
        creating = asyncio.create_task(dispatcher.create(TASK.create_request()))
        await connector.system.reached.wait()
        (record,) = await dispatcher.jobs.list(JobQuery())
        creating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await creating
        connector.system.may_go_on.set()
        await until(dispatcher, JobState.DELETED, record.key)
        assert connector.system.jobs == {}


async def test_an_abandoned_job_is_deleted_where_that_is_wanted(opened: Open) -> None:
    connector = Working()
    async with opened(connector) as dispatcher:
        await created(dispatcher)
        assert await reaped(dispatcher) == [Outcome.REMOVED]
        assert connector.system.jobs == {}
        assert dispatcher.jobs.reaping.count.live == {}


async def test_an_abandoned_job_is_kept_and_reported_once_where_that_is_wanted(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    connector = Working()
    async with opened(connector, on_orphan={"fake": "keep"}) as dispatcher:
        await created(dispatcher)
        assert await reaped(dispatcher) == [Outcome.KEPT]
        assert await dispatcher.jobs.reap(dry_run=False) == []
        assert len(connector.system.jobs) == 1
        assert dispatcher.jobs.reaping.count.orphans == {"fake@0": 1}
        (orphan,) = await dispatcher.jobs.list(JobQuery(orphans_only=True))
        assert orphan.key == "k"
    assert caplog.text.count("is an orphan") == 1


async def test_a_job_that_has_ended_is_not_deleted(opened: Open) -> None:
    connector = Working()
    async with opened(connector) as dispatcher:
        await created(dispatcher)
        connector.next = None
        assert await reaped(dispatcher) == [Outcome.FOUND_ENDED]
        record = await dispatcher.jobs.show("k")
        assert (record.state, record.phase) == (JobState.ENDED, Phase.SUCCEEDED)
        assert connector.deletes == 0


async def test_a_job_that_was_seen_to_end_is_not_looked_at_again(opened: Open) -> None:
    connector = Working()
    async with opened(connector) as dispatcher:
        handle = await created(dispatcher)
        connector.next = None
        await dispatcher.get(TASK.get_request(handle))
        await created(dispatcher, "second")
        assert await reaped(dispatcher) == [Outcome.FOUND_ENDED]
        assert (await dispatcher.jobs.show("k")).state is JobState.ENDED


async def test_a_job_that_is_polled_is_nobodys_orphan(opened: Open) -> None:
    connector = Working()
    async with opened(connector) as dispatcher:
        polled = await created(dispatcher, "polled")
        await created(dispatcher, "abandoned")
        done: list[str] = []
        async with asyncio.timeout(20):
            while not done:
                await dispatcher.get(TASK.get_request(polled))
                done += [one.job.key for one in await dispatcher.jobs.reap(dry_run=False)]
        assert done == ["abandoned"]
        assert len(connector.system.jobs) == 1


async def test_a_job_that_cannot_be_looked_at_is_left_alone_and_looked_at_again(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    class Mute(Working):
        mute = True

        async def get(self, job: FakeJob, ctx: JobContext) -> Resource:
            if self.mute:
                raise UnavailableError("no answer")
            return await super().get(job, ctx)

    connector = Mute()
    async with opened(connector) as dispatcher:
        await created(dispatcher)
        assert await reaped(dispatcher) == [Outcome.FAILED_FOR_NOW]
        assert connector.deletes == 0
        connector.mute = False
        assert await reaped(dispatcher) == [Outcome.REMOVED]
    assert "cannot be dealt with yet: no answer" in caplog.text


async def test_a_defect_of_one_job_does_not_stop_the_round(opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    class Defective(Working):
        async def get(self, job: FakeJob, ctx: JobContext) -> Resource:
            if job.job_id == "job-1":
                return None  # type: ignore[return-value]
            return await super().get(job, ctx)

    connector = Defective()
    async with opened(connector) as dispatcher:
        await created(dispatcher, "defective")
        await created(dispatcher, "good")
        done: list[Outcome] = []
        while len(done) < 2:
            done += await reaped(dispatcher)
        assert sorted(done) == [Outcome.FAILED_FOR_NOW, Outcome.REMOVED]
        assert list(connector.system.jobs) == ["job-1"]
    assert "failed in reap with AttributeError" in caplog.text


async def test_a_preview_changes_nothing(opened: Open) -> None:
    connector = Working()
    async with opened(connector) as dispatcher:
        await created(dispatcher)
        async with asyncio.timeout(20):
            while not (seen := await dispatcher.jobs.reap(dry_run=True)):  # noqa: ASYNC110 - a lease ends by itself
                await asyncio.sleep(0.01)
        assert [one.outcome for one in seen] == [Outcome.REMOVED]
        assert len(connector.system.jobs) == 1
        assert await reaped(dispatcher) == [Outcome.REMOVED]


async def test_by_default_an_unknown_outcome_fails(opened: Open) -> None:
    connector = Blind()
    async with opened(connector) as dispatcher:
        for _ in range(2):
            with pytest.raises(AmbiguousError, match="connection broke"):
                await created(dispatcher)
        assert connector.system.created == 1
        assert await reaped(dispatcher) == [Outcome.KEPT]
        assert dispatcher.jobs.reaping.count.orphans == {"fake@0": 1}


async def test_an_unknown_outcome_is_repeated_where_the_operator_says_so(opened: Open) -> None:
    connector = Blind()
    async with opened(connector, ambiguous={"*": "retry"}) as dispatcher:
        with pytest.raises(AmbiguousError, match="connection broke"):
            await created(dispatcher)
        assert await created(dispatcher)
        assert connector.system.created == 2


async def test_an_unknown_outcome_waits_for_a_person_who_found_the_job(opened: Open) -> None:
    connector = Blind()
    async with opened(connector, ambiguous={"Fake": "ask"}) as dispatcher:
        for _ in range(2):
            with pytest.raises(UnavailableError, match="a person has to settle it") as told:
                await created(dispatcher)
            assert told.value.reason == "AWAITING_DECISION"
            assert told.value.retry_after is not None
        with pytest.raises(InvalidTaskError, match="fits neither"):
            await dispatcher.jobs.settle("k", b'{"id": 5}')
        await dispatcher.jobs.settle("k", b'{"job_id": "job-1"}')
        handle = await created(dispatcher)
        connector.next = None
        assert (await dispatcher.get(TASK.get_request(handle))).resource.outputs.literals[
            "x"
        ].scalar.primitive.integer == 1
        assert connector.system.created == 1
        with pytest.raises(UserError, match="not ambiguous"):
            await dispatcher.jobs.settle("k", None)


async def test_an_unknown_outcome_waits_for_a_person_who_found_nothing(opened: Open) -> None:
    connector = Blind()
    async with opened(connector, ambiguous={"*": "ask"}) as dispatcher:
        with pytest.raises(UnavailableError):
            await created(dispatcher)
        await dispatcher.jobs.settle("k", None)
        assert await created(dispatcher)
        assert connector.system.created == 2


async def test_a_delete_of_an_unknown_outcome_is_ambiguous(opened: Open) -> None:
    async with opened(Blind()) as dispatcher:
        with pytest.raises(AmbiguousError):
            await created(dispatcher)
        with pytest.raises(AmbiguousError, match="connection broke"):
            await dispatcher.delete(by_key())


async def test_an_unknown_outcome_is_settled_by_the_reaper_when_the_connector_can_look(opened: Open) -> None:
    class Losing(Working):
        async def create(self, ctx: CreateContext[FakeConfig]) -> FakeJob:
            await super().create(ctx)
            raise AmbiguousError("the connection broke")

    connector = Losing()
    async with opened(connector) as dispatcher:
        with pytest.raises(AmbiguousError):
            await created(dispatcher)
        assert await reaped(dispatcher) == [Outcome.SETTLED]
        assert (await dispatcher.jobs.show("k")).state is JobState.LIVE
        await dispatcher.delete(by_key())
        assert (connector.system.created, connector.system.jobs) == (1, {})


async def test_many_abandoned_jobs_are_dealt_with_in_one_round(opened: Open) -> None:
    connector = Working()
    async with opened(connector) as dispatcher:
        for number in range(250):
            await created(dispatcher, f"k{number}")
        done: list[Outcome] = []
        while len(done) < 250:
            done += await reaped(dispatcher)
        assert set(done) == {Outcome.REMOVED}
        assert (connector.system.jobs, connector.deletes) == ({}, 250)


async def test_an_unknown_job_is_told(opened: Open) -> None:
    async with opened(Working()) as dispatcher:
        with pytest.raises(NotFoundError, match="no job is known"):
            await dispatcher.jobs.show("unknown")
        with pytest.raises(NotFoundError, match="no job is known"):
            await dispatcher.jobs.settle("unknown", None)


async def test_a_connector_that_never_answers_does_not_keep_other_jobs_waiting(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectory.connector.reaping._PATIENCE", 0.2)
    connector = Hanging()
    async with opened(connector) as dispatcher:
        for key in ("stuck", "other"):
            await created(dispatcher, key)
        outcomes: list[Outcome] = []
        while Outcome.REMOVED not in outcomes:
            outcomes += await reaped(dispatcher)
        assert (await dispatcher.jobs.show("other")).state is JobState.DELETED
        assert (await dispatcher.jobs.show("stuck")).state is JobState.LIVE
        assert list(connector.system.jobs) == ["job-1"]


async def test_a_clock_that_is_set_forward_ends_no_lease(
    opened: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    connector, clock = Working(), time.time
    async with opened(connector, lease={"*": 3600.0}) as dispatcher:
        handle = await created(dispatcher)
        await dispatcher.get(TASK.get_request(handle))
        monkeypatch.setattr(time, "time", lambda: clock() + 7200)
        monkeypatch.setattr(dispatcher.jobs.reaping, "_began", -1e9)  # a server that has been up for long
        for _ in range(2):
            assert await dispatcher.jobs.reap(dry_run=False) == []
        assert (connector.deletes, len(connector.system.jobs)) == (0, 1)
        assert "the clock jumped by 7200 s" in caplog.text
