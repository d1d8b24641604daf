"""When a launch plan starts its workflow by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from connectory.authoring.location import authoring_error
from connectory.v1 import launch_plan_pb2

__all__ = ["CronSchedule", "FixedRate", "OnSchedule", "Schedule"]

_ALIASES: Final = frozenset(
    f"{sign}{word}" for sign in ("", "@") for word in ("hourly", "daily", "weekly", "monthly", "annually", "yearly")
) | {"hours", "days", "weeks", "months", "years"}
_FIELDS: Final[tuple[tuple[str, int, int, str], ...]] = (
    ("minute", 0, 59, ""),
    ("hour", 0, 23, ""),
    ("day of month", 1, 31, ""),
    ("month", 1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"),
    ("day of week", 0, 7, "sun mon tue wed thu fri sat"),
)
_ZONED = re.compile(r"(?:CRON_)?TZ=(?P<zone>\S+)\s+(?P<rest>.*)")
_OFFSET = re.compile(r"[-+]?P([-+0-9YMWD]+)?(T([-+0-9HMS.,]+)?)?")
_UNITS: Final = (
    (timedelta(days=1), launch_plan_pb2.FIXED_RATE_UNIT_DAY),
    (timedelta(hours=1), launch_plan_pb2.FIXED_RATE_UNIT_HOUR),
    (timedelta(minutes=1), launch_plan_pb2.FIXED_RATE_UNIT_MINUTE),
)


@dataclass(frozen=True)
class Schedule:
    """A schedule; `kickoff_time_input_arg` names the input of the workflow that is given the time it is due at.

    `cron_expression` is an expression in the notation of Amazon CloudWatch, or a standard one.
    """

    kickoff_time_input_arg: str | None = None
    cron_expression: str | None = None

    def __post_init__(self) -> None:
        argument = self.kickoff_time_input_arg
        if argument is not None and not isinstance(argument, str):
            raise authoring_error(f"kickoff_time_input_arg is {argument!r}; give the name of an input")
        if self.cron_expression is not None and not isinstance(self.cron_expression, str):
            raise authoring_error(f"cron_expression is {self.cron_expression!r}; give a text")

    def to_proto(self) -> launch_plan_pb2.Schedule:
        """The schedule as a launch plan carries it."""
        return launch_plan_pb2.Schedule(
            kickoff_time_input_arg=self.kickoff_time_input_arg or "", cron_expression=self.cron_expression or ""
        )


class CronSchedule(Schedule):
    """Times in cron's notation ("0 10 * * 1-5") or by name ("@daily").

    They are in UTC, unless a time zone comes first ("CRON_TZ=Europe/Berlin 0 10 * * 1-5").

    `offset` shifts them, in the notation of ISO 8601 ("PT1H").
    """

    def __init__(
        self,
        cron_expression: str | None = None,
        schedule: str | None = None,
        offset: str | None = None,
        kickoff_time_input_arg: str | None = None,
    ) -> None:
        given = schedule if schedule is not None else cron_expression
        if not isinstance(given, str):
            raise authoring_error(f"CronSchedule is given the schedule {given!r}; give a text such as '0 10 * * *'")
        _check_cron(given)
        if offset is not None and (not isinstance(offset, str) or not _OFFSET.fullmatch(offset)):
            raise authoring_error(f"the offset {offset!r} is no duration in the notation of ISO 8601, such as 'PT1H'")
        super().__init__(kickoff_time_input_arg=kickoff_time_input_arg)
        object.__setattr__(self, "schedule", given)
        object.__setattr__(self, "offset", offset)

    schedule: str
    offset: str | None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schedule) and self.to_proto() == other.to_proto()

    __hash__ = None  # type: ignore[assignment]

    def to_proto(self) -> launch_plan_pb2.Schedule:
        """The schedule as a launch plan carries it."""
        return launch_plan_pb2.Schedule(
            kickoff_time_input_arg=self.kickoff_time_input_arg or "",
            cron_schedule=launch_plan_pb2.CronSchedule(schedule=self.schedule, offset=self.offset or ""),
        )


class FixedRate(Schedule):
    """Again and again after the same time, which is a multiple of a minute."""

    def __init__(self, duration: timedelta, kickoff_time_input_arg: str | None = None) -> None:
        if not isinstance(duration, timedelta) or duration <= timedelta() or duration % timedelta(minutes=1):
            raise authoring_error(f"FixedRate is given {duration!r}; give a timedelta of whole minutes")
        super().__init__(kickoff_time_input_arg=kickoff_time_input_arg)
        object.__setattr__(self, "duration", duration)

    duration: timedelta

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schedule) and self.to_proto() == other.to_proto()

    __hash__ = None  # type: ignore[assignment]

    def to_proto(self) -> launch_plan_pb2.Schedule:
        """The schedule as a launch plan carries it, in the largest unit that fits."""
        length, unit = next(pair for pair in _UNITS if not self.duration % pair[0])
        return launch_plan_pb2.Schedule(
            kickoff_time_input_arg=self.kickoff_time_input_arg or "",
            rate=launch_plan_pb2.FixedRate(value=self.duration // length, unit=unit),
        )


@dataclass(frozen=True)
class OnSchedule:
    """A schedule as the `trigger` of a launch plan."""

    schedule: Schedule


def _without_zone(text: str) -> str:
    """What follows the time zone, if one is named as in "CRON_TZ=Europe/Berlin 0 9 * * *"."""
    match = _ZONED.fullmatch(text)
    if match is None:
        return text
    try:
        ZoneInfo(match["zone"])
    except (KeyError, ValueError, OSError):
        raise authoring_error(
            f"the schedule {text!r} names {match['zone']!r}, which is no time zone; write one like Europe/Berlin"
        ) from None
    return match["rest"]


def _check_cron(text: str) -> None:
    bare = _without_zone(text)
    if bare.lower() in _ALIASES:
        return
    words = bare.split()
    if len(words) != len(_FIELDS):
        raise authoring_error(
            f"the schedule {text!r} has {len(words)} fields; give five (minute hour day month weekday), or a name "
            "such as '@daily'"
        )
    for word, (name, low, high, names) in zip(words, _FIELDS, strict=True):
        for part in word.lower().split(","):
            if not _fits(part, low, high, names.split()):
                raise authoring_error(f"the schedule {text!r} has {word!r} as {name}; it goes from {low} to {high}")


def _fits(part: str, low: int, high: int, names: list[str]) -> bool:
    """Whether a part is `*`, a value or a range, each with or without a step."""
    span, slash, step = part.partition("/")
    if slash and not (step.isdecimal() and int(step) > 0):
        return False
    if span in ("*", "?") or (span == "l" and high == 31):
        return True
    ends: list[Any] = [_number(end, names, low) for end in span.split("-")]
    return len(ends) <= 2 and all(end is not None and low <= end <= high for end in ends) and ends[0] <= ends[-1]


def _number(text: str, names: list[str], low: int) -> int | None:
    if text in names:
        return names.index(text) + low
    return int(text) if text.isdecimal() else None
