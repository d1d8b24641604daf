"""When schedules are due."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.errors import InvalidTaskError
from connectory.v1 import launch_plan_pb2
from workflow_runner.schedules.timetable import Timetable, due, timetable_of

SINCE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def cron(text: str, offset: str = "") -> Timetable:
    made = timetable_of(
        launch_plan_pb2.Schedule(cron_schedule=launch_plan_pb2.CronSchedule(schedule=text, offset=offset)), SINCE
    )
    assert made is not None
    return made


def rate(value: int, unit: launch_plan_pb2.FixedRateUnit.ValueType) -> Timetable:
    made = timetable_of(launch_plan_pb2.Schedule(rate=launch_plan_pb2.FixedRate(value=value, unit=unit)), SINCE)
    assert made is not None
    return made


def first(timetable: Timetable, after: str, count: int = 3) -> list[str]:
    moment = datetime.fromisoformat(after).astimezone(UTC)
    return [
        tick.isoformat(timespec="minutes").removesuffix("+00:00") for tick in islice(timetable.after(moment), count)
    ]


@pytest.mark.parametrize(
    ("timetable", "after", "expected"),
    [
        (cron("0 10 * * 1-5"), "2026-03-06T11:00Z", ["2026-03-09T10:00", "2026-03-10T10:00", "2026-03-11T10:00"]),
        (cron("@hourly"), "2026-03-06T11:00Z", ["2026-03-06T12:00", "2026-03-06T13:00", "2026-03-06T14:00"]),
        (cron("0 10 L * ?"), "2026-03-06T11:00Z", ["2026-03-31T10:00", "2026-04-30T10:00", "2026-05-31T10:00"]),
        (cron("5/25 * * * *"), "2026-03-06T11:00Z", ["2026-03-06T11:05", "2026-03-06T11:30", "2026-03-06T11:55"]),
        (cron("0 0 * * 7"), "2026-03-06T11:00Z", ["2026-03-08T00:00", "2026-03-15T00:00", "2026-03-22T00:00"]),
        (cron("hours"), "2026-03-06T11:00Z", ["2026-03-06T12:00", "2026-03-06T13:00", "2026-03-06T14:00"]),
        (cron("@daily", "PT1H30M"), "2026-03-06T01:29Z", ["2026-03-06T01:30", "2026-03-07T01:30", "2026-03-08T01:30"]),
        (cron("@daily", "-PT1H"), "2026-03-06T22:59Z", ["2026-03-06T23:00", "2026-03-07T23:00", "2026-03-08T23:00"]),
        (
            cron("CRON_TZ=Europe/Berlin 0 9 * * *"),
            "2026-03-27T12:00Z",
            ["2026-03-28T08:00", "2026-03-29T07:00", "2026-03-30T07:00"],
        ),
        (
            cron("CRON_TZ=Europe/Berlin 30 2 * * *"),  # left out on the 29th of March, twice on the 25th of October
            "2026-03-28T12:00Z",
            ["2026-03-29T01:00", "2026-03-30T00:30", "2026-03-31T00:30"],
        ),
        (
            cron("TZ=Europe/Berlin 30 2 * * *"),
            "2026-10-24T12:00Z",
            ["2026-10-25T00:30", "2026-10-26T01:30", "2026-10-27T01:30"],
        ),
        (
            cron("CRON_TZ=Europe/Berlin 0 * * * *"),
            "2026-10-24T23:30Z",
            ["2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T02:00"],
        ),
        (
            rate(90, launch_plan_pb2.FIXED_RATE_UNIT_MINUTE),
            "2026-03-01T12:00Z",
            ["2026-03-01T13:30", "2026-03-01T15:00", "2026-03-01T16:30"],
        ),
        (
            rate(1, launch_plan_pb2.FIXED_RATE_UNIT_DAY),
            "2026-03-03T12:00Z",
            ["2026-03-04T12:00", "2026-03-05T12:00", "2026-03-06T12:00"],
        ),
    ],
)
def test_points_in_time(timetable: Timetable, after: str, expected: list[str]) -> None:
    assert first(timetable, after) == expected


@pytest.mark.parametrize("expression", ["30 2 * * *", "30 1-3 * * *", "0 * * * *", "*/20 2 * * *"])
@pytest.mark.parametrize("offset", ["", "PT15M", "-PT90M"])
def test_wherever_one_begins_in_the_hour_that_comes_twice_the_points_are_the_same(expression: str, offset: str) -> None:
    timetable = cron(f"CRON_TZ=Europe/Berlin {expression}", offset)
    begin = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)
    every = list(islice(timetable.after(begin), 20))
    for minutes in range(0, 8 * 60, 5):
        moment = begin + timedelta(minutes=minutes)
        assert next(timetable.after(moment)) == next(point for point in every if point > moment)


def test_an_older_expression_is_understood_when_it_is_an_ordinary_one() -> None:
    made = timetable_of(launch_plan_pb2.Schedule(cron_expression="15 * * * *"), SINCE)
    assert made is not None
    assert first(made, "2026-03-06T11:00Z", 1) == ["2026-03-06T11:15"]


def test_a_schedule_that_says_nothing_has_no_timetable() -> None:
    assert timetable_of(launch_plan_pb2.Schedule(), SINCE) is None


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("61 * * * *", "Bad minute"),
        ("* * * *", "five fields"),
        ("0/15 13 * * ? *", "five fields"),
        ("0 0 30 2 *", "day-of-month"),
        ("CRON_TZ=Europe/Atlantis 0 9 * * *", "'Europe/Atlantis' is no time zone"),
        ("@often", "five fields"),
    ],
)
def test_what_is_no_expression_is_refused(schedule: str, said: str) -> None:
    with pytest.raises(InvalidTaskError, match=r"schedule\.cron_schedule\.schedule.*" + said):
        cron(schedule)


@pytest.mark.parametrize("offset", ["5 minutes", "P", "PT", "P1Y"])
def test_what_is_no_offset_is_refused(offset: str) -> None:
    with pytest.raises(InvalidTaskError, match="ISO 8601"):
        cron("@daily", offset)


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidTaskError, match="value above 0"):
        rate(0, launch_plan_pb2.FIXED_RATE_UNIT_HOUR)


def test_what_leads_beyond_the_calendar_is_refused() -> None:
    for value in (3661, 900_000_000, 4_000_000_000):
        with pytest.raises(InvalidTaskError, match=r"schedule\.rate.*ten years at most"):
            rate(value, launch_plan_pb2.FIXED_RATE_UNIT_DAY)
    for offset in ("P3661D", "-P900000D", "P99999999999D"):
        with pytest.raises(InvalidTaskError, match=r"schedule\.cron_schedule\.offset.*ten years at most"):
            cron("@daily", offset)


def test_of_many_missed_points_the_latest_are_due() -> None:
    found = due(cron("* * * * *"), SINCE - timedelta(days=3650), SINCE, most=3)
    assert [SINCE - tick for tick in found.ticks] == [timedelta(minutes=2), timedelta(minutes=1), timedelta()]
    assert found.skipped
    assert found.next == SINCE + timedelta(minutes=1)


@given(
    minutes=st.integers(1, 5000),
    most=st.integers(1, 20),
    expression=st.sampled_from(["* * * * *", "*/7 * * * *", "0 * * * *", "30 4 * * *", "0 0 1 * *"]),
)
def test_what_is_due_is_what_lies_between(minutes: int, most: int, expression: str) -> None:
    timetable, now = cron(expression), SINCE + timedelta(minutes=minutes)
    every = []
    for tick in timetable.after(SINCE):
        if tick > now:
            break
        every.append(tick)
    found = due(timetable, SINCE, now, most=most)
    assert list(found.ticks) == every[-most:]
    assert found.skipped == (len(every) > most)
    assert found.next > now
