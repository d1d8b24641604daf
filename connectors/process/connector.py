"""The process connector: commands that run beside the server and outlive it."""

import asyncio
import os
import re
import signal
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from connectors.process.config import ProcessConfig, ProcessJob
from connectors.process.elsewhere import end_elsewhere, end_members, require_nowhere
from connectors.process.endings import ending, failed
from connectors.process.folder import Claim, JobFolder, JobsFolder, StoredJob
from connectors.process.launch import Launcher
from connectors.process.logs import pages
from connectors.process.metrics import series
from connectors.process.outputs import collect, declared
from connectors.process.plan import make_plan
from connectors.process.references import NotedSecrets, Reference, read_again
from connectors.process.settings import ProcessSettings
from connectory.connector.contract import (
    AsyncConnector,
    CreateContext,
    JobContext,
    LogLink,
    LogPage,
    LogRequest,
    MetricSeries,
    MetricsRequest,
    Phase,
    Resource,
)
from connectory.errors import InvalidTaskError, NotFoundError, UnavailableError, UserError

__all__ = ["ProcessConnector"]

_JOB_ID: Final = re.compile(r"[0-9a-f]{32}")
_ELSEWHERE_SECONDS: Final = 30.0
_MORE_THAN_GRACE_SECONDS: Final = 15.0
_CREATES_BETWEEN_PRUNINGS: Final = 200


class ProcessConnector(AsyncConnector[ProcessConfig, ProcessJob]):
    """Runs a command in a session of its own, under a supervisor that writes down how it ended."""

    name: ClassVar[str] = "Process"
    task_type = "process"
    pool_size: ClassVar[int] = 16

    def __init__(self, settings: ProcessSettings | None = None) -> None:
        self._settings = settings or ProcessSettings.from_environ(os.environ)
        self._jobs = JobsFolder(self._settings.folder)
        self._launcher = Launcher()
        self._lock = threading.Lock()
        self._creates = 0

    def create(self, ctx: CreateContext[ProcessConfig]) -> ProcessJob:
        """Start the command unless it was started under this key before; then this is that job."""
        self._launcher.reap()
        self._jobs.open()
        self._prune_sometimes()
        folder = self._jobs.of_key(ctx.idempotency_key)
        claim = _claim_of(folder)
        if claim is None:
            claim = self._start(ctx, folder)
        return _handle(folder, claim)

    def find(self, key: str, ctx: CreateContext[ProcessConfig]) -> ProcessJob | None:
        """The job of this key. None is certain: whatever was still on its way to start the command will not."""
        folder = self._jobs.of_key(key)
        if not folder.exists():
            return None
        claim = folder.seal()
        if claim.is_void:
            folder.discard()
            return None
        return _handle(folder, claim)

    def get(self, job: ProcessJob, ctx: JobContext) -> Resource:
        """Where the command is, by its supervisor and the result that this leaves."""
        self._launcher.reap()
        folder, stored, claim = self._open(job)
        info = {"host": job.host, "folder": str(folder.path), "supervisor_pid": claim.pid}
        result = folder.result()
        if result is None and claim.supervisor.is_alive():
            return Resource(phase=Phase.RUNNING, message="running", custom_info=info, log_links=_logs(folder, job))
        if result is None and (result := folder.result()) is None:
            end_members(folder.job_id, claim.supervisor)
            folder.put_result("lost")
            result = folder.result()
        if result is None:
            raise NotFoundError(f"process job {job.job_id} has just been removed")
        read_again(stored.secrets, ctx.secrets)
        info |= {"cpu_seconds": result.cpu_seconds, "memory_bytes": result.memory_bytes, "exit_code": result.code}
        info["ended"] = datetime.fromtimestamp(result.ended, UTC).isoformat()
        ended = ending(result, stored, folder.path, info) or _succeeded(folder, stored, result.code, ctx, info)
        return replace(ended, log_links=_logs(folder, job))

    def delete(self, job: ProcessJob, ctx: JobContext) -> None:
        """End every process of the job and confirm it. The folder with the logs stays until it is old enough."""
        try:
            folder, stored, claim = self._open(job)
        except (NotFoundError, UnavailableError):
            end_elsewhere(job, _within(ctx, _ELSEWHERE_SECONDS))
            return
        patience = stored.grace_seconds + _MORE_THAN_GRACE_SECONDS
        if not claim.supervisor.end(signal.SIGTERM, _within(ctx, patience)):
            raise UnavailableError(f"process job {job.job_id} is still ending; ask again")
        self._launcher.reap()
        end_members(folder.job_id, claim.supervisor)
        folder.put_result("cancelled")

    async def logs(self, job: ProcessJob, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        """What the command wrote so far, standard output before standard error."""
        folder, stored, claim = await asyncio.to_thread(self._open, job)
        await asyncio.to_thread(read_again, stored.secrets, ctx.secrets)
        ended = folder.result() is not None or not claim.supervisor.is_alive()
        found = pages(folder.path, request.token, request.lines, ended=ended, newest=request.newest)
        while (page := await asyncio.to_thread(_next, found)) is not None:
            yield page

    def metrics(self, job: ProcessJob, request: MetricsRequest, ctx: JobContext) -> list[MetricSeries]:
        """What the command's processes used so far."""
        folder, _, _ = self._open(job)
        return series(folder.path, job.job_id, request, folder.result())

    def check(self) -> None:
        """Raise when jobs cannot be kept here."""
        self._jobs.require_usable()

    def close(self) -> None:
        """Leave the running commands alone; they are found again."""
        self._launcher.reap()

    def _start(self, ctx: CreateContext[ProcessConfig], folder: JobFolder) -> Claim:
        kinds = declared(ctx.template.interface.outputs, ctx.config.outputs)
        folder.make()
        ctx.secrets = noted = NotedSecrets(ctx.secrets)
        try:
            plan = make_plan(ctx, folder, self._settings)
            folder.store(_stored(ctx, kinds, plan["working_dir"], noted.read))
            self._launcher.launch(folder.path, plan)
        except Exception:
            claim = folder.seal()
            if claim.is_void:
                folder.discard()
                raise
            return claim
        claim = folder.seal()
        if claim.is_void:
            raise UnavailableError("the process was withdrawn while it was being started; create it again")
        return claim

    def _open(self, job: ProcessJob) -> tuple[JobFolder, StoredJob, Claim]:
        if not _JOB_ID.fullmatch(job.job_id):
            raise InvalidTaskError("the handle's job_id is not one of this connector's", fields={"job_id": job.job_id})
        folder = self._jobs.of_job(job.job_id)
        stored, claim = folder.stored(), folder.claim()
        if stored is None or claim is None:
            require_nowhere(job, self._settings.folder)
            text, here = f"there is no process job {job.job_id} under {self._settings.folder}", socket.gethostname()
            if job.host == here:  # where nothing of it runs
                raise NotFoundError(text, reason="GONE")
            raise NotFoundError(f"{text}; it was started on {job.host}, this is {here}")
        return folder, stored, claim

    def _prune_sometimes(self) -> None:
        with self._lock:
            due = self._creates % _CREATES_BETWEEN_PRUNINGS == 0
            self._creates += 1
        if due:
            self._jobs.prune(self._settings.keep)


def _claim_of(folder: JobFolder) -> Claim | None:
    """The claim of a job that was started; what was withdrawn is cleared away."""
    claim = folder.claim()
    if claim is not None and claim.is_void:
        folder.discard()
        return None
    return claim


def _handle(folder: JobFolder, claim: Claim) -> ProcessJob:
    return ProcessJob(
        job_id=folder.job_id, host=socket.gethostname(), pid=claim.pid, start=claim.start, boot=claim.boot
    )


def _stored(
    ctx: CreateContext[ProcessConfig], kinds: dict[str, str], working_dir: str, secrets: list[Reference]
) -> StoredJob:
    return StoredJob(
        working_dir=working_dir,
        output_prefix=ctx.output_prefix,
        outputs=kinds,
        paths=ctx.config.outputs,
        success_exit_codes=ctx.config.success_exit_codes,
        retryable_exit_codes=ctx.config.retryable_exit_codes,
        grace_seconds=ctx.config.grace_seconds,
        time_limit_seconds=ctx.config.time_limit_seconds,
        secrets=secrets,
    )


def _succeeded(folder: JobFolder, stored: StoredJob, code: int, ctx: JobContext, info: dict[str, Any]) -> Resource:
    try:
        outputs = collect(stored, folder.path, code, ctx.storage)
    except UserError as error:
        return failed("Outputs", error.message, info)
    return Resource(phase=Phase.SUCCEEDED, message="exit code " + str(code), outputs=outputs, custom_info=info)


def _logs(folder: JobFolder, job: ProcessJob) -> list[LogLink]:
    """Where the files `stdout` and `stderr` are, for whoever is on that machine."""
    return [LogLink(name=f"stdout and stderr on {job.host}", uri=folder.path.as_uri())]


def _within(ctx: JobContext, seconds: float) -> float:
    """So many seconds, but not beyond the caller's deadline."""
    if ctx.deadline is None:
        return seconds
    return min(seconds, (ctx.deadline - datetime.now(UTC)).total_seconds())


def _next(found: Iterator[LogPage]) -> LogPage | None:
    return next(found, None)
