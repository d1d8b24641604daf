"""What a sleep task may say."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from connectory.errors import InvalidTaskError

__all__ = ["ErrorName", "Failure", "Moment", "SleepConfig", "check"]

Moment = Literal["create", "get", "delete", "end"]
ErrorName = Literal[
    "user",
    "invalid_task",
    "not_found",
    "unauthenticated",
    "permission_denied",
    "rate_limited",
    "unavailable",
    "deadline_exceeded",
    "ambiguous",
    "defect",
]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One way in which the job fails."""

    at: Moment
    """The call that answers an error, or `end`: the job itself ends without success after its duration."""
    error: ErrorName = "unavailable"
    """Which error; `defect` is an exception that is none of the project's own.

    At `end`, one that may pass when the task is run again (rate_limited, unavailable, deadline_exceeded) ends the job
    in RETRYABLE_FAILED, any other in FAILED.
    """
    message: str = "as the task asks for"
    """What the error says."""
    calls: int | None = None
    """How many calls fail before they work, counted for each job in each server process; None: all. No use at `end`."""
    attempts: int | None = None
    """In how many attempts of the task it happens, counted from the first by the request's metadata; None: in all."""
    retry_after: float | None = None
    """How long the error asks the caller to wait, in seconds; None: it does not say."""


@dataclass(frozen=True, kw_only=True)
class SleepConfig:
    """How long, how it fails, what it logs and what it gives."""

    duration: float = 1.0
    """How long the job takes, in seconds from its creation. An input named `duration` (a number of seconds or a
    timedelta) takes its place."""
    failures: Sequence[Failure] = ()
    """Where and how it fails; the first that applies to a call counts."""
    log: Sequence[str] = ()
    """The lines that the job logs, spread evenly over its duration."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """Values of declared outputs, as JSON. A declared output that is not named here is the input of the same name."""


def check(config: SleepConfig) -> None:
    """Raise an `InvalidTaskError` naming each number that can't be."""
    fields = {}
    if not (math.isfinite(config.duration) and config.duration >= 0):
        fields["custom.duration"] = f"{config.duration} is not a number of seconds from 0 up"
    for index, failure in enumerate(config.failures):
        numbers = {"calls": failure.calls, "attempts": failure.attempts, "retry_after": failure.retry_after}
        for name, value in numbers.items():
            if value is not None and not value >= 0:
                fields[f"custom.failures[{index}].{name}"] = f"{value} is below 0"
    if fields:
        raise InvalidTaskError("; ".join(f"{path}: {text}" for path, text in fields.items()), fields=fields)
