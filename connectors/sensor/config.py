"""What a sensor task may say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from connectory.errors import InvalidTaskError

__all__ = ["Check", "FileCheck", "HttpCheck", "SensorConfig", "SqlCheck", "TimeCheck", "chosen"]


@dataclass(frozen=True, kw_only=True)
class FileCheck:
    """Waits until an object exists. Gives `path` (its URL) and `size` (in bytes)."""

    url: str
    """A local path or an object store URL. A template: `{{ .inputs.path }}`."""


@dataclass(frozen=True, kw_only=True)
class HttpCheck:
    """Waits until a URL answers with a status. Gives `url` and `status`."""

    url: str
    """Where to ask; http or https. A template, which may hold secrets."""
    method: str = "GET"
    """The method; GET or HEAD."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header fields; templates, which may hold secrets."""
    expect: Sequence[int | str] = ("2xx",)
    """The statuses that end the wait: numbers, or classes such as `2xx`."""
    fail: Sequence[int | str] = (401, 403, 407)
    """The statuses that fail the job. Any status in neither list means: not yet."""
    timeout: float = 10.0
    """How long one look may take, in seconds."""


@dataclass(frozen=True, kw_only=True)
class SqlCheck:
    """Waits until a query gives a row whose first value is neither NULL, false nor 0."""

    uri: str
    """The database: `sqlite:///PATH`, `duckdb:///PATH` or `postgresql://...`. A template, which may hold secrets."""
    query: str
    """One SELECT. Inputs in it (`{{ .inputs.x }}`) are bound as parameters, never put into the text."""
    timeout: float = 10.0
    """How long one look may take, in seconds; kept by PostgreSQL."""


@dataclass(frozen=True, kw_only=True)
class TimeCheck:
    """Waits for a moment: exactly one of the two. Gives `time` (a datetime)."""

    at: str = ""
    """The moment in ISO 8601 with its offset, such as `2030-01-31T09:00:00Z`. A template."""
    after: float | None = None
    """Seconds from the job's creation."""


Check = FileCheck | HttpCheck | SqlCheck | TimeCheck


_CENTURY: Final = 100 * 365.25 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class SensorConfig:
    """What to wait for: one of file, http, sql and time. With none of them, the file that the input `path` names."""

    file: FileCheck | None = None
    """Wait for an object."""
    http: HttpCheck | None = None
    """Wait for a status."""
    sql: SqlCheck | None = None
    """Wait for a row."""
    time: TimeCheck | None = None
    """Wait for a moment."""
    poll_interval: float = 10.0
    """How long callers are asked to wait between two looks, in seconds."""
    deadline: float | None = None
    """How long to wait at most, in seconds from the creation; then the job has failed. None: for ever."""


def chosen(config: SensorConfig) -> Check:
    """What the sensor waits for; an `InvalidTaskError` names every field that can't be used."""
    given = {name: getattr(config, name) for name in ("file", "http", "sql", "time")}
    checks: dict[str, Check] = {name: check for name, check in given.items() if check is not None}
    fields = _numbers(config)
    if len(checks) > 1:
        fields[f"custom.{list(checks)[1]}"] = (
            f"a sensor waits for one thing, and custom.{next(iter(checks))} is given too"
        )
    check = next(iter(checks.values()), FileCheck(url="{{ .inputs.path }}"))
    if isinstance(check, HttpCheck) and check.method.upper() not in ("GET", "HEAD"):
        fields["custom.http.method"] = f"{check.method!r} is neither GET nor HEAD"
    if isinstance(check, TimeCheck) and bool(check.at) == (check.after is not None):
        fields["custom.time"] = "exactly one of at and after is needed"
    if fields:
        raise InvalidTaskError("; ".join(f"{path}: {text}" for path, text in fields.items()), fields=fields)
    return check


def _numbers(config: SensorConfig) -> dict[str, str]:
    numbers = {"poll_interval": config.poll_interval, "deadline": config.deadline}
    numbers |= {f"{name}.timeout": check.timeout for name in ("http", "sql") if (check := getattr(config, name))}
    wrong = {
        f"custom.{name}": f"{value} is not a number of seconds above 0"
        for name, value in numbers.items()
        if value is not None and not 0 < value < _CENTURY
    }
    after = config.time.after if config.time is not None else None
    if after is not None and not -_CENTURY < after < _CENTURY:
        wrong["custom.time.after"] = f"{after} is not a number of seconds within a hundred years"
    return wrong
