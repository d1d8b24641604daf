"""Token buckets, at times that the test gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.connector.limits.buckets import TokenBucket


def test_a_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    bucket = TokenBucket(2.0, burst=3)
    for _ in range(3):
        assert bucket.delay(100.0) == 0
        bucket.take(100.0)
    assert bucket.delay(100.0) == 0.5
    assert bucket.delay(100.4) == pytest.approx(0.1)
    assert bucket.delay(100.5) == 0


def test_a_long_pause_saves_no_more_than_the_burst() -> None:
    bucket = TokenBucket(10.0, burst=2)
    bucket.take(0.0)
    assert not bucket.is_full(0.0)
    assert bucket.is_full(1000.0)
    bucket.take(1000.0)
    bucket.take(1000.0)
    assert bucket.delay(1000.0) == pytest.approx(0.1)


def test_without_a_burst_a_second_s_worth_goes_at_once_and_never_less_than_one() -> None:
    slow, quick = TokenBucket(0.1), TokenBucket(2.0)
    slow.take(0.0)
    assert slow.delay(0.0) == 10.0
    quick.take(0.0)
    assert quick.delay(0.0) == 0
    quick.take(0.0)
    assert quick.delay(0.0) == 0.5


@given(
    rate=st.floats(0.1, 100),
    burst=st.integers(1, 20),
    pauses=st.lists(st.floats(0, 3), max_size=50),
)
def test_never_more_than_the_burst_and_the_rate_together(rate: float, burst: int, pauses: list[float]) -> None:
    bucket, now, taken = TokenBucket(rate, burst), 0.0, 0
    for pause in pauses:
        now += pause
        while bucket.delay(now) == 0:
            bucket.take(now)
            taken += 1
    assert taken <= burst + now * rate + 1e-6


@given(rate=st.floats(0.1, 100), pauses=st.lists(st.floats(0, 3), max_size=20))
def test_whoever_waits_as_long_as_told_gets_one(rate: float, pauses: list[float]) -> None:
    bucket, now = TokenBucket(rate, 1), 0.0
    for pause in pauses:
        now += pause + bucket.delay(now + pause)
        assert bucket.delay(now) == 0
        bucket.take(now)
