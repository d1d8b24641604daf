"""How fast watched jobs are polled."""

from datetime import timedelta

import pytest

from connectory.connector.watching.pace import FIRST, LONGEST_TOLD, SLOWEST, Pace
from connectory.errors import RateLimitedError, UnavailableError
from tests.connectory.connector.fakes import FakeConnector


class Punctual(FakeConnector):
    """Wants its jobs polled every ten seconds."""

    poll_every = timedelta(seconds=10)


def never() -> float:
    return 0.0


def always() -> float:
    return 1.0


def test_waits_grow_up_to_a_bound() -> None:
    pace = Pace()
    waits = [pace.after_answer(None, FakeConnector(), 0, never) for _ in range(30)]
    assert waits[0] == FIRST
    assert waits == sorted(waits)
    assert waits[-1] == SLOWEST


def test_a_connector_says_how_often() -> None:
    assert [Pace().after_answer(None, Punctual(), 0, chance) for chance in (never, always)] == [10.0, 9.0]


@pytest.mark.parametrize(("told", "wait"), [(0, FIRST), (7, 7), (3600, LONGEST_TOLD), (-1, FIRST)])
def test_an_answer_says_when(told: float, wait: float) -> None:
    assert Pace().after_answer(timedelta(seconds=told), Punctual(), 0, always) == wait


def test_leases_are_renewed_in_time() -> None:
    assert Pace().after_answer(timedelta(seconds=30), Punctual(), 6, never) == 2
    assert Pace().after_answer(None, Punctual(), 6, never) == 2


def test_trouble_slows_down_and_is_left_alone_for_as_long_as_it_asks() -> None:
    pace = Pace()
    waits = [pace.after_trouble(UnavailableError("away")) for _ in range(20)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (0.1, 10.0)
    assert pace.after_trouble(RateLimitedError("wait", retry_after=timedelta(seconds=20))) == 20
    assert pace.after_trouble(RateLimitedError("wait", retry_after=timedelta(days=20))) == LONGEST_TOLD
