"""Jobs are ended while much is wanted of their connector, and while its external system wants to be left alone."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from connectory.connector import orphans
from connectory.connector.contract import JobContext
from connectory.connector.ledger.records import JobState
from connectory.connector.reaping import Outcome
from connectory.errors import RateLimitedError
from tests.connectory.connector.fakes import FakeJob
from tests.connectory.connector.limits.test_gates import Limited, Service, service, settled


class Ending(Limited):
    """Counts how often it was asked to end a job; what it raises then is said by the test."""

    def __init__(self, **limits: Any) -> None:
        super().__init__(**limits)
        self.deletes = 0
        self.refusal: Exception | None = None

    async def delete(self, job: FakeJob, ctx: JobContext) -> None:
        self.deletes += 1
        if self.refusal is not None:
            raise self.refusal
        await super().delete(job, ctx)


def slow_down(seconds: float) -> RateLimitedError:
    return RateLimitedError("slow down", retry_after=timedelta(seconds=seconds))


async def paused(opened: Service, connector: Limited, seconds: float) -> None:
    """The external system wants to be left alone."""
    connector.trouble = slow_down(seconds)
    with pytest.raises(RateLimitedError, match="slow down"):
        await opened.create(f"refused at {opened.clock.now}")
    connector.trouble = None


async def refused(opened: Service, handle: bytes) -> float:
    with pytest.raises(RateLimitedError, match="the job is deleted then") as caught:
        await opened.delete(handle)
    assert caught.value.reason == "LIMIT_REACHED"
    assert caught.value.retry_after is not None
    await settled()
    return caught.value.retry_after.total_seconds()


async def state(opened: Service, key: str) -> JobState:
    return (await opened.dispatcher.jobs.show(key)).state


async def test_no_rate_and_no_queue_holds_up_a_delete() -> None:
    connector = Ending(jobs=1, creates_per_second=0.01, polls_per_second=0.01, wait=100_000, queue=1)
    async with service(connector) as opened:
        handle = await opened.create("first")
        await opened.get(handle)
        waiting = [opened.create("second"), asyncio.create_task(opened.get(handle))]
        await settled()
        await opened.delete(handle)
        assert connector.deletes == 1
        await opened.clock.pass_by(200)
        await asyncio.gather(*waiting)


async def test_a_delete_waits_for_the_end_of_a_short_pause() -> None:
    connector = Ending()
    async with service(connector) as opened:
        handle = await opened.create("first")
        await paused(opened, connector, 3)
        deleting = asyncio.create_task(opened.delete(handle))
        await settled()
        await opened.clock.pass_by(2.9)
        assert (connector.deletes, opened.count.waiting["delete"]) == (0, 1)
        await opened.clock.pass_by(0.1)
        await deleting
        assert (connector.deletes, opened.count.waiting["delete"]) == (1, 0)
        assert opened.count.waits["delete"].seconds == pytest.approx(3)


@pytest.mark.parametrize("by_key", [False, True])
async def test_a_delete_in_a_long_pause_is_noted_and_told_when_to_come_again(by_key: bool) -> None:
    connector = Ending()
    async with service(connector) as opened:
        handle = await opened.create("first")
        await paused(opened, connector, 60)
        await opened.clock.pass_by(20)
        if by_key:
            with pytest.raises(RateLimitedError, match="the job is deleted then"):
                await opened.delete(key="first")
        else:
            assert await refused(opened, handle) == 40
        await settled()
        assert await state(opened, "first") is JobState.DELETING
        assert (connector.deletes, opened.count.refused["delete"]) == (0, 1)

        await opened.clock.pass_by(40)
        (reaped,) = await opened.dispatcher.jobs.reap(dry_run=False)
        assert (reaped.outcome, connector.deletes) == (Outcome.REMOVED, 1)
        assert await state(opened, "first") is JobState.DELETED


async def test_a_system_that_wants_to_be_left_alone_again_and_again_keeps_no_job_alive() -> None:
    connector = Ending()
    async with service(connector) as opened:
        handle = await opened.create("first")
        await paused(opened, connector, 60)
        assert await refused(opened, handle) == 60
        await opened.clock.pass_by(60)
        await paused(opened, connector, 60)
        await opened.delete(handle)
        assert connector.deletes == 1


async def test_what_a_delete_is_told_holds_for_all_and_for_its_own_repetition() -> None:
    connector = Ending()
    async with service(connector) as opened:
        first, second = await opened.create("first"), await opened.create("second")
        connector.refusal = slow_down(30)
        with pytest.raises(RateLimitedError, match="slow down"):
            await opened.delete(first)
        connector.refusal = None
        await opened.clock.pass_by(10)
        assert [await refused(opened, first), await refused(opened, second)] == [20, 20]
        with pytest.raises(RateLimitedError):
            await opened.create("third")
        await opened.dispatcher.jobs.reap(dry_run=False)
        assert connector.deletes == 1
        await opened.clock.pass_by(20)
        await opened.delete(first)
        await opened.delete(second)
        assert connector.deletes == 3


@pytest.mark.parametrize(("wanted", "waited"), [(2.0, [2.0, 2.0, 2.0, 2.0]), (60.0, [5.0, 5.0, 5.0, 5.0])])
async def test_a_job_that_nobody_wants_is_ended_no_sooner_than_the_system_allows(
    monkeypatch: pytest.MonkeyPatch, wanted: float, waited: list[float]
) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async def refused() -> None:
        raise slow_down(wanted)

    monkeypatch.setattr(asyncio, "sleep", pause)
    with pytest.raises(RateLimitedError):
        await orphans.persistently(refused)
    assert pauses == waited


async def test_a_job_of_another_credential_is_ended_at_once() -> None:
    connector = Ending()
    async with service(connector) as opened:
        handle = await opened.create("first")
        connector.trouble = slow_down(60)
        with pytest.raises(RateLimitedError):
            await opened.create("other", account="b")
        await opened.delete(handle)
        assert connector.deletes == 1
