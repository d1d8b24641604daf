"""The SQL connector: queries on threads of the server, known to every server process of the machine."""

import hashlib
import importlib
import os
import re
import select
import socket
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar, Final

import msgspec

from connectors.sql.config import SqlConfig, SqlJob
from connectors.sql.database import ENGINES, Database
from connectors.sql.endings import ended_by, lost, resource_of, succeeded
from connectors.sql.engines.contract import Engine, load_engine
from connectors.sql.outcome import MARKER, Outcome
from connectors.sql.plan import Plan, make_plan
from connectors.sql.records import JobRecord, Records
from connectors.sql.running import Run, Runs
from connectors.sql.settings import SqlSettings
from connectory.connector.contract import AsyncConnector, CreateContext, JobContext, Phase, Resource
from connectory.connector.redaction import RecordingSecrets, Redactor
from connectory.errors import InvalidTaskError, NotFoundError, UnavailableError

__all__ = ["SqlConnector"]

_JOB_ID: Final = re.compile(r"[0-9a-f]{32}")
_CONFIRM_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.1


class SqlConnector(AsyncConnector[SqlConfig, SqlJob]):
    """Runs one statement per job and hands over its rows."""

    name: ClassVar[str] = "SQL"
    task_type = "sql"
    pool_size: ClassVar[int] = 16

    def __init__(self, settings: SqlSettings | None = None) -> None:
        self._settings = settings or SqlSettings.from_environ(os.environ)
        self._records = Records(self._settings.folder)
        self._unwritten: dict[str, JobRecord] = {}
        self._runs = Runs(self._settings.threads, self._records.is_cancel_requested)

    def create(self, ctx: CreateContext[SqlConfig]) -> SqlJob:
        """Start the job unless it was started under this key before; then this is that job."""
        plan = make_plan(ctx)
        self._settings.check_allowed(plan.database)
        load_engine(plan.database.engine)
        job = _job(ctx.idempotency_key, plan.database, ctx)
        owner = self._records.open()
        if self._records.add(job.job_id, JobRecord(owner=owner)):
            run = Run(plan.time_limit)
            self._runs.start(job.job_id, run, lambda run: self._work(job, plan, ctx, run))
        return job

    def find(self, key: str, ctx: CreateContext[SqlConfig]) -> SqlJob | None:
        """The job of this key. One that a server took with it is none, unless it may have changed something."""
        plan = make_plan(ctx)
        self._records.open()
        job = _job(key, plan.database, ctx)
        record = self._current(job, ctx)
        if record is None:
            return job if self._stored(job, ctx) is not None else None
        if record.code == "ServerLost" and job.read_only:
            self._records.remove(job.job_id)
            return None
        return job

    def get(self, job: SqlJob, ctx: JobContext) -> Resource:
        """Where the job is, whichever server process of this machine runs it."""
        self._records.open()
        record = self._current(job, ctx)
        if record is not None:
            return resource_of(record)
        outcome = self._stored(job, ctx)
        if outcome is not None:
            return resource_of(succeeded("", outcome))
        return self._elsewhere(job, ctx)

    def delete(self, job: SqlJob, ctx: JobContext) -> None:
        """Cancel the statement, on the server too, and confirm that it has ended."""
        self._records.open()
        record = self._current(job, ctx)
        if record is None:
            self._end_sessions(job, ctx)
        elif not record.is_terminal:
            self._cancel(job, record, _within(ctx, _CONFIRM_SECONDS))
        elif record.code == "ServerLost":
            self._records.change(job.job_id, phase=int(Phase.ABORTED), message="cancelled", code="Cancelled")

    def check(self) -> None:
        """Raise when jobs cannot be recorded here."""
        self._records.require_usable()

    def close(self) -> None:
        """Cancel the jobs of this process that do not end by themselves in a moment: their threads end with it."""
        self._runs.close()
        self._records.close()

    def _work(self, job: SqlJob, plan: Plan, ctx: CreateContext[SqlConfig], run: Run) -> None:
        """The job's whole life; whatever happens, its record says how it ended."""
        engine = load_engine(plan.database.engine)
        result_url = job.result_url or str(self._records.result_folder(job.job_id))
        owner = self._records.open()
        read = Redactor()
        ctx.secrets = RecordingSecrets(ctx.secrets, read)
        try:
            self._records.change(job.job_id, phase=int(Phase.RUNNING))
            outcome = importlib.import_module("connectors.sql.work").do_work(
                plan,
                ctx,
                engine,
                run,
                name=_session_name(job),
                result_url=result_url,
                working_folder=self._records.working_folder(),
            )
            record = succeeded(owner, outcome)
        except Exception as error:
            record = ended_by(error, run.reason, engine, plan, owner, ctx.logger)
            record = replace(record, message=read.text(record.message))
        self._settle(job.job_id, record)

    def _settle(self, job_id: str, record: JobRecord) -> None:
        """Write how the job ended; what cannot be written is kept in memory, so that nobody waits for it for ever."""
        try:
            self._records.update(job_id, record)
        except OSError:
            self._unwritten[job_id] = record
            raise

    def _current(self, job: SqlJob, ctx: JobContext) -> JobRecord | None:
        """The job's record. When its owner is gone, what it left on the database server is ended first."""
        if not _JOB_ID.fullmatch(job.job_id):
            raise InvalidTaskError("the handle's job_id is not one of this connector's", fields={"job_id": job.job_id})
        record = self._unwritten.get(job.job_id) or self._records.read(job.job_id)
        if record is None or record.is_terminal or self._records.is_alive(record.owner):
            return record
        record = self._records.read(job.job_id) or record
        if record.is_terminal:
            return record
        self._end_sessions(job, ctx)
        outcome = self._stored(job, ctx)
        left = lost(record.owner, read_only=job.read_only) if outcome is None else succeeded(record.owner, outcome)
        self._records.update(job.job_id, left)
        return left

    def _cancel(self, job: SqlJob, record: JobRecord, seconds: float) -> None:
        run = self._runs.get(job.job_id)
        if run is not None:
            self._runs.end(job.job_id, run, "cancelled")
            ended = run.ended.wait(max(0.0, seconds))
        else:
            self._records.request_cancel(job.job_id)
            ended = self._await_end(job.job_id, seconds)
        if not ended:
            raise UnavailableError(f"SQL job {job.job_id} is still ending; ask again")

    def _await_end(self, job_id: str, seconds: float) -> bool:
        """Wait until another process has written that the job ended."""
        deadline = time.monotonic() + seconds
        while (record := self._records.read(job_id)) is not None and not record.is_terminal:
            if time.monotonic() > deadline:
                return False
            select.select([], [], [], _LOOK_SECONDS)
        return True

    def _elsewhere(self, job: SqlJob, ctx: JobContext) -> Resource:
        """A job that this machine knows nothing of."""
        here = socket.gethostname()
        if job.host == here:
            raise NotFoundError(f"there is no SQL job {job.job_id} under {self._settings.folder}")
        engine, database = _database(job)
        if engine.has_session(database.resolve(ctx.secrets), _session_name(job)):
            return Resource(phase=Phase.RUNNING, message=f"running on {job.host}")
        raise UnavailableError(f"SQL job {job.job_id} belongs to the server on {job.host}, this is {here}; ask there")

    def _end_sessions(self, job: SqlJob, ctx: JobContext) -> None:
        engine, database = _database(job)
        engine.end_sessions(database.resolve(ctx.secrets), _session_name(job))

    def _stored(self, job: SqlJob, ctx: JobContext) -> Outcome | None:
        """What the marker at the output prefix says; None: there is none."""
        if not job.result_url:
            return None
        marker = ctx.storage.join(job.result_url, MARKER)
        if not ctx.storage.exists(marker):
            return None
        return msgspec.json.decode(ctx.storage.read(marker), type=Outcome)


def _job(key: str, database: Database, ctx: CreateContext[SqlConfig]) -> SqlJob:
    job_id = hashlib.sha256(key.encode()).hexdigest()[:32]
    return SqlJob(
        job_id=job_id,
        host=socket.gethostname(),
        uri=database.uri,
        password_secret=database.password_secret,
        read_only=ctx.config.read_only,
        result_url=ctx.storage.join(ctx.output_prefix, f"sql-{job_id}") if ctx.output_prefix else "",
    )


def _database(job: SqlJob) -> tuple[Engine, Database]:
    scheme = job.uri.partition("://")[0].lower()
    database = Database(engine=ENGINES.get(scheme, ""), uri=job.uri, password_secret=job.password_secret)
    return load_engine(database.engine), database


def _session_name(job: SqlJob) -> str:
    """The name under which a database server knows the job's session."""
    return f"connectory-sql-{job.job_id}"


def _within(ctx: JobContext, seconds: float) -> float:
    """So many seconds, but not beyond the caller's deadline."""
    if ctx.deadline is None:
        return seconds
    return min(seconds, (ctx.deadline - datetime.now(UTC)).total_seconds())
