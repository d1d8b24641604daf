"""When a schedule is due: points in time from a schedule, without a clock."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import dropwhile, takewhile
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from connectory.errors import InvalidTaskError
from connectory.v1 import launch_plan_pb2

__all__ = ["Due", "Timetable", "due", "timetable_of"]

_ALIASES: Final = {
    **dict.fromkeys(("yearly", "annually", "years"), "0 0 1 1 *"),
    **dict.fromkeys(("monthly", "months"), "0 0 1 * *"),
    **dict.fromkeys(("weekly", "weeks"), "0 0 * * 0"),
    **dict.fromkeys(("daily", "days", "midnight"), "0 0 * * *"),
    **dict.fromkeys(("hourly", "hours"), "0 * * * *"),
}
_ZONED: Final = re.compile(r"(?:CRON_)?TZ=(?P<zone>\S+)\s+(?P<rest>.*)")
_OFFSET: Final = re.compile(
    r"(?P<sign>-?)P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)
_LONGEST: Final = timedelta(days=3660)
"""Of a period or an offset: the calendar ends, and a schedule that leads beyond it is a mistake."""
_UNITS: Final = {
    launch_plan_pb2.FIXED_RATE_UNIT_MINUTE: timedelta(minutes=1),
    launch_plan_pb2.FIXED_RATE_UNIT_HOUR: timedelta(hours=1),
    launch_plan_pb2.FIXED_RATE_UNIT_DAY: timedelta(days=1),
}


class Timetable(Protocol):
    """An endless list of points in time."""

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Every point after the moment, in order; aware, in UTC."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """What should have been started by now."""

    ticks: tuple[datetime, ...]
    """The latest ones, in order."""
    skipped: bool
    """Whether there are earlier ones, too many to be caught up with."""
    next: datetime
    """The first one that is still to come."""


def due(timetable: Timetable, after: datetime, now: datetime, *, most: int) -> Due:
    """The points after `after` up to `now`: the latest `most` of them."""
    window = timedelta(hours=1)
    while True:
        begin = max(after, now - window) if now - after > window else after
        points = timetable.after(begin)
        passed = list(takewhile(lambda tick: tick <= now, points))
        if len(passed) >= most or begin == after:
            break
        window *= 8  # a year of minutes is not gone through to find the last ten
    return Due(
        ticks=tuple(passed[-most:] if most else ()),
        skipped=len(passed) > most or next(timetable.after(after)) <= begin,
        next=next(timetable.after(now)),
    )


def timetable_of(schedule: launch_plan_pb2.Schedule, since: datetime) -> Timetable | None:
    """The timetable of a schedule that counts from `since`; None when it says nothing.

    Cron expressions have five fields or a name such as @daily, and are in UTC unless `CRON_TZ=Europe/Berlin` comes
    before them. A time that a change to summer time leaves out is due right after it; one that comes twice is due
    once, unless the expression means every hour or minute. An InvalidTaskError says what is wrong.
    """
    which = schedule.WhichOneof("schedule_expression")
    if which == "rate":
        return _rate(schedule.rate, since)
    if which == "cron_schedule" and schedule.cron_schedule.schedule:
        offset = _offset(schedule.cron_schedule.offset)
        return _cron(schedule.cron_schedule.schedule, offset, "schedule.cron_schedule.schedule")
    if which == "cron_expression" and schedule.cron_expression:
        return _cron(schedule.cron_expression, timedelta(), "schedule.cron_expression")
    return None


@dataclass(frozen=True, slots=True)
class _Rate:
    period: timedelta
    since: datetime

    def after(self, moment: datetime) -> Iterator[datetime]:
        number = max((moment - self.since) // self.period + 1, 1)
        while True:
            yield self.since + number * self.period
            number += 1


@dataclass(frozen=True, slots=True)
class _Cron:
    expression: str
    zone: ZoneInfo
    offset: timedelta

    def after(self, moment: datetime) -> Iterator[datetime]:
        ticks = CronSim(self.expression, (moment - self.offset).astimezone(self.zone))
        points = (tick.astimezone(UTC) + self.offset for tick in ticks)
        yield from dropwhile(lambda point: point <= moment, points)  # in an hour that comes twice: of its first time


def _rate(rate: launch_plan_pb2.FixedRate, since: datetime) -> Timetable:
    unit = _UNITS.get(rate.unit)
    if unit is None or not rate.value:
        raise _invalid(
            "schedule.rate", f"{rate.value} of unit {rate.unit}", "give a value above 0 of MINUTE, HOUR or DAY"
        )
    if rate.value > _LONGEST / unit:
        raise _invalid("schedule.rate", f"{rate.value} of unit {rate.unit}", "give ten years at most")
    return _Rate(rate.value * unit, since)


def _cron(text: str, offset: timedelta, field: str) -> Timetable:
    zoned = _ZONED.fullmatch(text.strip())
    name, expression = (zoned["zone"], zoned["rest"]) if zoned else ("UTC", text.strip())
    try:
        zone = ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise _invalid(field, repr(text), f"{name!r} is no time zone; write one like Europe/Berlin") from None
    expression = _ALIASES.get(expression.lower().removeprefix("@"), expression)
    expression = expression.replace("?", "*")
    if len(expression.split()) != 5:
        raise _invalid(field, repr(text), "give five fields (minute hour day month weekday), or a name such as @daily")
    try:
        next(CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as error:
        raise _invalid(field, repr(text), str(error) or "it is never due") from None
    return _Cron(expression, zone, offset)


def _offset(text: str) -> timedelta:
    if not text:
        return timedelta()
    match = _OFFSET.fullmatch(text)
    parts = (
        {}
        if match is None
        else {name: int(match[name]) for name in ("weeks", "days", "hours", "minutes", "seconds") if match[name]}
    )
    if match is None or not parts:
        raise _invalid("schedule.cron_schedule.offset", repr(text), "give an ISO 8601 duration such as PT5M")
    try:
        offset = timedelta(**parts)
    except OverflowError:
        offset = timedelta.max
    if offset > _LONGEST:
        raise _invalid("schedule.cron_schedule.offset", repr(text), "give ten years at most")
    return offset * (-1 if match["sign"] else 1)


def _invalid(field: str, value: str, remedy: str) -> InvalidTaskError:
    sentence = f"{value} is no schedule: {remedy}"
    return InvalidTaskError(f"{field}: {sentence}", fields={field: sentence})
