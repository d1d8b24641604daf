"""Connectors that do what their tasks say, with everything that a connector may offer. A module for real processes."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectory import errors
from connectory.connector.contract import (
    AsyncConnector,
    CreateContext,
    JobContext,
    JobError,
    LogLine,
    LogLink,
    LogPage,
    LogRequest,
    MetricSeries,
    MetricsRequest,
    Phase,
    Resource,
    SyncConnector,
)
from connectory.connector.limits import Limits
from tests.connector_server.filed import FiledSystem

__all__ = ["CraftyConnector", "CraftySyncConnector", "connectors"]


@dataclass(frozen=True)
class Orders:
    """What a task wants to happen."""

    create: str = ""
    get: str = "succeed"
    delete: str = ""
    logs: str = ""
    folder: str = ""
    secret: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class CraftyJob:
    """The handle: what is to happen with each call."""

    get: str
    delete: str
    logs: str
    folder: str
    secret: str
    note: str = ""
    numbers: list[float] = field(default_factory=list)


def fail(how: str, logger: Any = None) -> None:
    """Fail as an order says."""
    known: dict[str, Any] = vars(errors)
    word, _, rest = how.partition(" ")
    if word == "raise":
        error = known[rest]
        if issubclass(error, errors.ConnectorError):
            raise error(
                "grün " * 400,
                reason="MY_REASON",
                fields={"custom.a": "is wrong " * 60, "custom.b": "too"},
                retry_after=timedelta(seconds=7.5),
            )
        raise error("something is wrong")
    ends: Mapping[str, Any] = {
        "exit": lambda: os._exit(3),
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "crash": lambda: ctypes.string_at(0),
        "quit": lambda: sys.exit("a secret reason"),
        "unexpected": lambda: {}["password=hunter2"],
    }
    if word in ends:
        ends[word]()
    if word == "cancel":
        raise asyncio.CancelledError


def spawn(folder: Path) -> None:
    """Start a process that stays."""
    (folder / "spawned").write_text(str(subprocess.Popen(["sleep", "1000"]).pid))


class CraftyConnector(AsyncConnector[Orders, CraftyJob]):
    """Starts jobs; those with a folder are jobs of the system in the folder."""

    name = "Crafty"
    task_type = "crafty"
    handle_version = 2
    on_orphan = "delete"
    lease = timedelta(seconds=77)
    limits = Limits(jobs=10_000, wait=3.0)

    async def create(self, ctx: CreateContext[Orders]) -> CraftyJob:
        orders = ctx.config
        if orders.seconds:
            threading.Event().wait(orders.seconds)
        note = ctx.secrets.get(orders.secret) if orders.secret else ""
        if orders.create == "tell":
            told = [
                ctx.output_prefix,
                ctx.idempotency_key,
                ctx.metadata.k8s_service_account,
                sorted(ctx.inputs.items()),
            ]
            return _job(orders, repr(told))
        if orders.create == "wrong handle":
            return orders  # type: ignore[return-value]
        if orders.create == "log":
            ctx.logger.warning("the note is %s", note, extra={"fact": 5})
            print("printed")
            sys.stdout.flush()
        if orders.create == "spawn and exit":
            spawn(Path(orders.folder))
            os._exit(3)
        fail(orders.create)
        if orders.folder:
            system = FiledSystem(orders.folder)
            await system.passes("before")
            system.start(ctx.idempotency_key)
            await system.passes("after")
        return _job(orders, str(len(note)))

    async def find(self, key: str, ctx: CreateContext[Orders]) -> CraftyJob | None:
        keys = FiledSystem(ctx.config.folder).jobs.values()
        return _job(ctx.config, "0") if key in keys else None

    async def get(self, job: CraftyJob, ctx: JobContext) -> Resource:
        if job.folder:
            await FiledSystem(job.folder).passes("get")
        if job.get == "environment":
            facts = {"prefix": sys.prefix, "pid": os.getpid(), "env": dict(os.environ)}
            return Resource(phase=Phase.SUCCEEDED, custom_info=facts)
        if job.get == "secret":
            return Resource(phase=Phase.RUNNING, message=f"it is {ctx.secrets.get(job.secret)}")
        if job.get == "wait":
            assert ctx.deadline is not None
            (Path(job.note) / "waiting").touch()
            try:
                await asyncio.Event().wait()
            finally:
                left = ctx.deadline - datetime.now(UTC)
                (Path(job.note) / "cancelled").write_text(str(left.total_seconds()))
        fail(job.get)
        return _resource(job, ctx)

    async def delete(self, job: CraftyJob, ctx: JobContext) -> None:
        fail(job.delete)

    async def logs(self, job: CraftyJob, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        first = int(request.token or 0)
        last = 10 if request.lines is None else min(10, first + request.lines)
        for start in range(first, last, 4):
            end = min(start + 4, last)
            moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
            yield LogPage(
                lines=[LogLine(message=f"line {n}", timestamp=moment, origin="system") for n in range(start, end)],
                token=str(end),
            )
            fail(job.logs)
        if first >= 10:
            yield LogPage(lines=[], token=str(first))

    async def metrics(self, job: CraftyJob, request: MetricsRequest, ctx: JobContext) -> Sequence[MetricSeries]:
        fail(job.logs)
        span = [str(moment) for moment in (request.start, request.end, request.step)]
        return [MetricSeries(metric=name, data={"span": span, "values": [1, 2.5, None]}) for name in request.queries]

    def check(self) -> None:
        if (folder := os.environ.get("CRAFTY_FOLDER")) and (Path(folder) / "sick").exists():
            raise errors.UnavailableError("the system is sick")

    def upgrade(self, handle: Mapping[str, Any], from_version: int) -> Mapping[str, Any]:
        return {**handle, "note": f"from version {from_version}"}


def _job(orders: Orders, note: str) -> CraftyJob:
    if orders.get == "wait":
        note = orders.create
    numbers = [0.1, 1e22, 3.0]
    return CraftyJob(orders.get, orders.delete, orders.logs, orders.folder, orders.secret, note, numbers)


def _resource(job: CraftyJob, ctx: JobContext) -> Resource:
    word, _, rest = job.get.partition(" ")
    if word == "outputs":
        return Resource(phase=Phase.SUCCEEDED, outputs={"rows": [1, 2, 3] if rest == "fit" else "none"})
    if word == "phase":
        return Resource(phase=int(rest), message="m" * 20_000, poll_after=timedelta(seconds=2.25))
    if word == "error":
        return Resource(
            phase=Phase.FAILED,
            message=rest,
            log_links=[LogLink(uri="http://logs.example/1", name="logs", ready=False)],
            custom_info={"node": "n1", "attempts": 2, "deep": [{"x": None}, True]},
            error=JobError(code="NodeLost", message="gone", kind="system", recoverable=True),
        )
    return Resource(phase=Phase.SUCCEEDED, message=f"{job.note} {ctx.output_prefix}", outputs={})


class CraftySyncConnector(SyncConnector[Orders]):
    """Does its work within a call."""

    name = "CraftySync"
    task_type = "crafty_sync"

    def execute(self, ctx: CreateContext[Orders]) -> Resource:
        fail(ctx.config.create)
        if ctx.config.create == "unfinished":
            return Resource(phase=Phase.RUNNING)
        return Resource(phase=Phase.SUCCEEDED, outputs=ctx.inputs, message=ctx.idempotency_key)


connectors = [CraftyConnector, CraftySyncConnector]
