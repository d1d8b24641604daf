"""The sensor connector: every `get` is one look at the world."""

import asyncio
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import ClassVar, TypeVar

from connectors.sensor import verdicts
from connectors.sensor.config import FileCheck, HttpCheck, SensorConfig, SqlCheck, TimeCheck, chosen
from connectors.sensor.filling import Filling
from connectors.sensor.finding import Finding
from connectors.sensor.job import SensorJob
from connectors.sensor.looks import file, sql
from connectors.sensor.looks import time as moment
from connectors.sensor.looks.http import HttpLook
from connectors.sensor.opening import opened
from connectors.sensor.verdicts import Verdict
from connectory.connector.contract import AsyncConnector, CreateContext, JobContext, JobError, Phase, Resource
from connectory.errors import (
    ConnectorError,
    ConnectoryError,
    InvalidTaskError,
    StorageError,
    TypeConversionError,
    UnavailableError,
    UserError,
)
from connectory.types import TypeRegistry, default_types
from connectory.web import HostPolicy

__all__ = ["SensorConnector"]

T = TypeVar("T")


class SensorConnector(AsyncConnector[SensorConfig, SensorJob]):
    """Waits for something, without a thread, a connection or memory between two looks."""

    name: ClassVar[str] = "Sensor"
    task_type = "sensor"

    def __init__(self, *, clock: Callable[[], float] = time.time, policy: HostPolicy | None = None) -> None:
        self._clock = clock
        self._http = HttpLook(policy)
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="sensor-looks")
        self._types: TypeRegistry = default_types()

    async def create(self, ctx: CreateContext[SensorConfig]) -> SensorJob:
        """Check the task, and put all of it into the handle. The first look is the first `get`."""
        return opened(ctx, job_id=uuid.uuid4().hex, started=self._clock())

    async def get(self, job: SensorJob, ctx: JobContext) -> Resource:
        """Look once. A look that fails for now leaves the job waiting; one that can never succeed ends it."""
        try:
            verdict = await self._in_thread(lambda: verdicts.read(job, ctx.storage))
            if verdict is not None:
                return _ended(job, verdict, self._filling(job, ctx))
            finding = await self._look(job, ctx)
        except ConnectoryError as error:
            if not _is_temporary(error):
                return await self._end(job, ctx, _failed(error))
            finding = Finding(met=False, message=f"cannot look now: {error}", is_failed=True)
        if finding.met:
            verdict = Verdict(phase=Phase.SUCCEEDED, message=finding.message, facts=dict(finding.facts))
            return await self._end(job, ctx, verdict)
        rest = self._rest(job)
        if rest <= 0:
            message = f"not within {job.config.deadline:g} s: {finding.message}"
            verdict = Verdict(phase=Phase.FAILED, message=message, code="SENSOR_DEADLINE")
            return await self._end(job, ctx, verdict)
        return _waiting(job, finding, rest)

    async def delete(self, job: SensorJob, ctx: JobContext) -> None:
        """End the wait; one that has ended already stays as it ended."""
        await self._end(job, ctx, Verdict(phase=Phase.ABORTED, message="deleted"))

    async def find(self, key: str, ctx: CreateContext[SensorConfig]) -> SensorJob | None:
        """None: a sensor job is its handle and nothing else, so creating it again leaves nothing behind."""
        return None

    async def close(self) -> None:
        """Close the connections and end the threads."""
        await self._http.aclose()
        self._threads.shutdown(wait=False)

    async def _look(self, job: SensorJob, ctx: JobContext) -> Finding:
        check, filling = chosen(job.config), self._filling(job, ctx)
        match check:
            case FileCheck():
                return await self._in_thread(lambda: file.look(check, filling, ctx.storage))
            case HttpCheck():
                return await self._http.look(check, filling)
            case SqlCheck():
                return await self._in_thread(lambda: sql.look(check, filling))
            case TimeCheck():
                return moment.look(check, filling, started=job.started, now=self._clock())

    async def _end(self, job: SensorJob, ctx: JobContext, verdict: Verdict) -> Resource:
        """Write the end down, and report the one that counts."""
        try:
            verdict = await self._in_thread(lambda: verdicts.record(job, verdict, ctx.storage))
        except StorageError as error:
            raise UnavailableError(f"the sensor's end cannot be written down now: {error}") from error
        return _ended(job, verdict, self._filling(job, ctx))

    def _rest(self, job: SensorJob) -> float:
        """Seconds until the deadline."""
        if job.config.deadline is None:
            return float("inf")
        return job.config.deadline - max(0.0, self._clock() - job.started)

    def _filling(self, job: SensorJob, ctx: JobContext) -> Filling:
        return Filling(job, ctx, self._types)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


def _waiting(job: SensorJob, finding: Finding, rest: float) -> Resource:
    wait = min(job.config.poll_interval, rest)
    if finding.look_again is not None:
        wait = min(wait, finding.look_again.total_seconds())
    phase = Phase.WAITING_FOR_RESOURCES if finding.is_failed else Phase.RUNNING
    return Resource(phase=phase, message=finding.message, poll_after=timedelta(seconds=wait))


def _ended(job: SensorJob, verdict: Verdict, filling: Filling) -> Resource:
    if verdict.phase is Phase.SUCCEEDED:
        values = {**verdict.facts, **filling.inputs}
        outputs = {name: values[name] for name in job.outputs}
        return Resource(phase=Phase.SUCCEEDED, message=verdict.message, outputs=outputs)
    error = None
    if verdict.phase is Phase.FAILED:
        error = JobError(code=verdict.code, message=verdict.message, kind=verdict.kind)
    return Resource(phase=verdict.phase, message=verdict.message, error=error)


def _is_temporary(error: ConnectoryError) -> bool:
    return isinstance(error, StorageError) or (isinstance(error, ConnectorError) and error.retryable)


def _failed(error: ConnectoryError) -> Verdict:
    code = error.reason if isinstance(error, ConnectorError) else "SENSOR_CANNOT_LOOK"
    by_user = isinstance(error, UserError | InvalidTaskError | TypeConversionError)
    return Verdict(phase=Phase.FAILED, message=str(error), code=code, kind="user" if by_user else "system")
