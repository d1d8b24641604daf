"""Limits that change while calls come: what is counted stays, and nobody gets a burst by it."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.connector.contract import Phase, Resource
from connectory.connector.limits import LimitChanges
from connectory.connector.limits.buckets import TokenBucket
from connectory.connector.registry import Registration, Registry
from connectory.errors import RateLimitedError, RegistryError
from tests.connectory.connector.limits.test_gates import Limited, Service, service, settled


def change(to: Service, *serving: Registration, **changes: LimitChanges) -> None:
    registry = to.dispatcher.registry
    to.dispatcher.gates.change(changes, serving or registry.list())


def registered(connector: Limited) -> Registration:
    return Registry().register(connector)


@given(
    changes=st.lists(
        st.tuples(st.floats(0.1, 50), st.integers(1, 20), st.floats(0, 3)),
        min_size=1,
        max_size=20,
    )
)
def test_no_row_of_changes_lets_more_through_than_the_highest_rate_and_burst(
    changes: list[tuple[float, int, float]],
) -> None:
    now, taken = 0.0, 0
    bucket = TokenBucket(changes[0][0], changes[0][1])
    for rate, burst, pause in changes:
        now += pause
        bucket.change(rate, burst, now)
        while bucket.delay(now) <= 0:
            bucket.take(now)
            taken += 1
    assert taken <= max(burst for _, burst, _ in changes) + max(rate for rate, _, _ in changes) * now + 1e-6


async def test_an_emptied_bucket_stays_empty_when_its_numbers_change() -> None:
    connector = Limited(creates_per_second=1, create_burst=2, wait=0)
    async with service(connector) as called:
        await asyncio.gather(called.create("1"), called.create("2"))
        change(called, fake=LimitChanges(creates_per_second=2.0, create_burst=50))
        with pytest.raises(RateLimitedError) as refused:
            await called.create("3")
        assert refused.value.retry_after == timedelta(seconds=0.5)
        await called.clock.pass_by(0.5)
        await called.create("4")
        with pytest.raises(RateLimitedError):
            await called.create("5")


async def test_a_rate_that_is_set_where_there_was_none_allows_nothing_at_once() -> None:
    async with service(Limited(jobs=100, wait=0)) as called:
        await asyncio.gather(*(called.create(str(number)) for number in range(10)))
        change(called, fake=LimitChanges(creates_per_second=4.0, create_burst=8))
        with pytest.raises(RateLimitedError):
            await called.create("10")
        await called.clock.pass_by(0.25)
        await called.create("11")


async def test_open_jobs_count_against_a_limit_that_was_raised_lowered_taken_away_and_set_again() -> None:
    async with service(Limited(jobs=3, wait=0)) as called:
        handles = await asyncio.gather(*(called.create(str(number)) for number in range(3)))
        change(called, fake=LimitChanges(jobs=2))
        with pytest.raises(RateLimitedError, match="may have 2 open jobs"):
            await called.create("3")
        change(called, fake=LimitChanges(jobs=None))
        handles.append(await called.create("4"))
        change(called, fake=LimitChanges(jobs=4))
        assert called.count.jobs == 4
        with pytest.raises(RateLimitedError, match="may have 4 open jobs"):
            await called.create("5")
        await called.delete(handles[0])
        await called.create("6")


async def test_who_waits_goes_as_soon_as_the_new_numbers_allow_it_and_is_turned_away_when_they_forbid_it() -> None:
    async with service(Limited(jobs=1, wait=60)) as called:
        await called.create("1")
        second, third = called.create("2"), called.create("3")
        await settled()
        assert called.count.waiting["create"] == 2
        change(called, fake=LimitChanges(jobs=2))
        await settled()
        assert (second.done(), third.done()) == (True, False)
        change(called, fake=LimitChanges(jobs=10, creates_per_second=0.001))
        with pytest.raises(RateLimitedError):
            await third
        assert called.count.waiting["create"] == 0


async def test_the_wait_that_an_external_system_asked_for_outlives_a_change() -> None:
    connector = Limited(wait=0)
    async with service(connector) as called:
        connector.trouble = RateLimitedError("slow down", retry_after=timedelta(seconds=30))
        with pytest.raises(RateLimitedError, match="slow down"):
            await called.create("1")
        connector.trouble = None
        change(called, fake=LimitChanges(jobs=5, creates_per_second=10.0))
        with pytest.raises(RateLimitedError, match="asked to be left alone"):
            await called.create("2")
        await called.clock.pass_by(31)
        await called.create("3")


async def test_a_new_version_of_a_connector_goes_on_with_what_is_counted_for_the_old_one() -> None:
    async with service(Limited(jobs=1, wait=0)) as called:
        handle = await called.create("1")
        (old,) = called.dispatcher.registry.list()
        new = registered(Limited(jobs=2, wait=0))
        called.dispatcher.gates.change({}, [new])
        gates = called.dispatcher.gates.of(new)
        assert gates is not None
        assert gates is called.dispatcher.gates.of(old)
        assert (gates.jobs, gates.limits.jobs) == (1, 2)
        called.dispatcher.gates.polled(old, handle, ended=True)
        assert gates.jobs == 0


async def test_limits_that_cannot_be_change_nothing() -> None:
    async with service(Limited(jobs=1, wait=0)) as called:
        await called.create("1")
        wrong = Limited()
        registry = registered(wrong)
        wrong.limits = "many"  # type: ignore[assignment]
        with pytest.raises(RegistryError, match="declares limits='many'"):
            change(called, registry, fake=LimitChanges(jobs=9))
        with pytest.raises(RateLimitedError, match="may have 1 open jobs"):
            await called.create("2")


async def test_how_long_calls_waited_is_counted() -> None:
    async with service(Limited(jobs=1, wait=60)) as called:
        first = await called.create("1")
        second = called.create("2")
        await settled()
        await called.clock.pass_by(3)
        await called.delete(first)
        await second
        assert called.count.waits["create"].seconds == pytest.approx(3)
        assert sum(called.count.waits["create"].buckets) == 1
        assert called.count.waits["create"].buckets[7] == 1


async def test_the_reaper_takes_turns_with_callers_and_shares_what_it_is_told() -> None:
    connector = Limited(polls_per_second=1, poll_burst=1, wait=10)
    connector.lease = timedelta(microseconds=1)  # type: ignore[misc]
    async with service(connector) as called:
        handle = await called.create("1")
        await called.get(handle)
        round_ = asyncio.create_task(called.dispatcher.jobs.reap(dry_run=False))
        while not called.count.waiting["get"]:
            await asyncio.sleep(0)
            if round_.done():
                round_ = asyncio.create_task(called.dispatcher.jobs.reap(dry_run=False))
        connector.trouble = RateLimitedError("slow down", retry_after=timedelta(seconds=30))
        await called.clock.pass_by(1)
        (reaped,) = await round_
        assert "slow down" in reaped.message
        connector.trouble = None
        connector.next = Resource(phase=Phase.SUCCEEDED)
        with pytest.raises(RateLimitedError, match="asked to be left alone"):
            await called.get(handle)
