"""The sleep connector: a job is its start time and what the task asked for, all of it in the handle."""

import re
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final

from connectors.sleep.aborted import AbortedJobs, default_folder
from connectors.sleep.config import Failure, Moment, SleepConfig, check
from connectors.sleep.failing import CallCounter, applicable, failed, raised
from connectors.sleep.outputs import outputs_of
from connectory.connector.contract import (
    AsyncConnector,
    CreateContext,
    JobContext,
    LogLine,
    LogPage,
    LogRequest,
    Phase,
    Resource,
)
from connectory.errors import InvalidTaskError
from connectory.v1 import literals_pb2

__all__ = ["SleepConnector", "SleepJob"]

_LONGEST_WAIT: Final = 10.0
"""Callers are asked to look at least this often, in seconds, so that a deleted job is noticed and progress is told."""
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True)
class SleepJob:
    """Everything that there is of a sleep job."""

    id: str
    started: float
    """When it was created, in seconds since the epoch."""
    duration: float
    attempt: int = 0
    failures: Sequence[Failure] = ()
    log: Sequence[str] = ()
    outputs: bytes = b""
    """The serialized outputs."""


class SleepConnector(AsyncConnector[SleepConfig, SleepJob]):
    """A job that takes time, holds no thread while it does, and fails where and how the task says."""

    name: ClassVar[str] = "Sleep"
    task_type = "sleep"

    def __init__(self, *, clock: Callable[[], float] = time.time, folder: Path | None = None) -> None:
        self._clock = clock
        self._aborted = AbortedJobs(folder or default_folder())
        self._counter = CallCounter()

    async def create(self, ctx: CreateContext[SleepConfig]) -> SleepJob:
        """Note the time."""
        check(ctx.config)
        job = SleepJob(
            id=uuid.uuid4().hex,
            started=self._clock(),
            duration=_duration(ctx),
            attempt=ctx.metadata.task_execution_id.retry_attempt,
            failures=ctx.config.failures,
            log=ctx.config.log,
            outputs=outputs_of(ctx).SerializeToString(),
        )
        self._fail(job, "create", counted_by=ctx.idempotency_key)
        return job

    async def get(self, job: SleepJob, ctx: JobContext) -> Resource:
        """Compare the time now with the time of creation."""
        _check_id(job)
        self._fail(job, "get")
        if job.id in self._aborted:
            return Resource(phase=Phase.ABORTED, message="deleted")
        elapsed = self._elapsed(job)
        if elapsed < job.duration:
            rest = timedelta(seconds=min(job.duration - elapsed, _LONGEST_WAIT))
            message = f"{elapsed:.1f} of {job.duration:.1f} s"
            return Resource(phase=Phase.RUNNING, message=message, poll_after=rest)
        failure = applicable(job.failures, "end", attempt=job.attempt, job=job.id, counter=self._counter)
        if failure is not None:
            return failed(failure)
        return Resource(phase=Phase.SUCCEEDED, outputs=literals_pb2.LiteralMap.FromString(job.outputs))

    async def delete(self, job: SleepJob, ctx: JobContext) -> None:
        """End the job early; one that has ended already stays as it is."""
        _check_id(job)
        self._fail(job, "delete")
        if self._elapsed(job) < job.duration:
            self._aborted.add(job.id)

    async def find(self, key: str, ctx: CreateContext[SleepConfig]) -> SleepJob | None:
        """None: a sleep job is its handle and nothing else, so creating it again leaves nothing behind."""
        return None

    async def logs(self, job: SleepJob, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        """The lines whose time has come, from the token on; the token is the number of the next line."""
        first = _line_number(request.token)
        last = self._lines_so_far(job)
        if request.lines is not None:
            last = min(last, first + request.lines)
        lines = [
            LogLine(message=job.log[index], timestamp=datetime.fromtimestamp(_line_time(job, index), UTC))
            for index in range(first, last)
        ]
        yield LogPage(lines=lines, token=str(max(first, last)))

    def _elapsed(self, job: SleepJob) -> float:
        """Seconds since the creation; never negative, whatever the clock does."""
        return max(0.0, self._clock() - job.started)

    def _lines_so_far(self, job: SleepJob) -> int:
        now = job.started + self._elapsed(job)
        return sum(_line_time(job, index) <= now for index in range(len(job.log)))

    def _fail(self, job: SleepJob, moment: Moment, counted_by: str = "") -> None:
        failure = applicable(job.failures, moment, attempt=job.attempt, job=counted_by or job.id, counter=self._counter)
        if failure is not None:
            raise raised(failure)


def _duration(ctx: CreateContext[SleepConfig]) -> float:
    if "duration" not in ctx.literals.literals:
        return ctx.config.duration
    given: Any = ctx.inputs["duration"]
    seconds = given.total_seconds() if isinstance(given, timedelta) else given
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
        text = f"{given!r} is neither a number of seconds from 0 up nor a duration"
        raise InvalidTaskError(f"input 'duration': {text}", fields={"inputs.duration": text})
    return float(seconds)


def _check_id(job: SleepJob) -> None:
    if not _ID.fullmatch(job.id):
        raise InvalidTaskError("the handle is not of a sleep job", fields={"resource_meta.job.id": "not hexadecimal"})


def _line_time(job: SleepJob, index: int) -> float:
    return job.started + job.duration * index / len(job.log)


def _line_number(token: str) -> int:
    if not token:
        return 0
    if not token.isdecimal():
        raise InvalidTaskError(f"{token!r} is not a token of this log", fields={"token": "not a line number"})
    return int(token)
