"""Fake connectors, each with one habit that a test needs. The module also serves as `--module` of real processes."""

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
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

__all__ = [
    "BlockingLoopConnector",
    "BlockingThreadConnector",
    "ChattyConnector",
    "FailingConnector",
    "FileGatedConnector",
    "FullResourceConnector",
    "SickConnector",
    "SlowConnector",
    "TrivialConnector",
    "TrivialSyncConnector",
    "connectors",
]


@dataclass(frozen=True)
class Job:
    """The handle of every fake."""

    id: str


class TrivialConnector(AsyncConnector[dict[str, Any], Job]):
    """Its jobs succeed at once, without outputs."""

    name = "Trivial"
    task_type = "trivial"

    async def create(self, ctx: CreateContext[dict[str, Any]]) -> Job:
        return Job(id="job-1")

    async def get(self, job: Job, ctx: JobContext) -> Resource:
        return Resource(phase=Phase.SUCCEEDED)

    async def delete(self, job: Job, ctx: JobContext) -> None:
        return


class TrivialSyncConnector(SyncConnector[dict[str, Any]]):
    """Answers each input as the output of the same name."""

    name = "TrivialSync"
    task_type = "trivial_sync"

    async def execute(self, ctx: CreateContext[dict[str, Any]]) -> Resource:
        return Resource(phase=Phase.SUCCEEDED, outputs=ctx.literals)


class FullResourceConnector(TrivialConnector):
    """Its jobs fail with everything that a resource can say."""

    name = "Full"
    task_type = "full"

    async def get(self, job: Job, ctx: JobContext) -> Resource:
        return Resource(
            phase=Phase.RETRYABLE_FAILED,
            message="the node was taken away",
            log_links=[LogLink(uri="http://logs.example/1", name="logs")],
            custom_info={"node": "n1", "attempts": 2},
            error=JobError(code="NodeLost", message="gone", kind="system", recoverable=True),
        )


class ChattyConnector(TrivialConnector):
    """Its jobs have ten lines of log and one metric; the token is the number of the next line."""

    name = "Chatty"
    task_type = "chatty"

    async def logs(self, job: Job, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        first = int(request.token or 0)
        last = 10 if request.lines is None else min(10, first + request.lines)
        for start in range(first, last, 4):
            end = min(start + 4, last)
            yield LogPage(lines=[LogLine(message=f"line {n}") for n in range(start, end)], token=str(end))

    async def metrics(self, job: Job, request: MetricsRequest, ctx: JobContext) -> Sequence[MetricSeries]:
        return [MetricSeries(metric=query, data={"result": [1.5]}) for query in request.queries]


class FailingConnector(TrivialConnector):
    """Raises on create the error that the task's config names."""

    name = "Failing"
    task_type = "failing"

    async def create(self, ctx: CreateContext[dict[str, Any]]) -> Job:
        if ctx.config["error"] == "unexpected":
            raise KeyError("password=hunter2")
        if ctx.config["error"] == "cancelled":
            raise asyncio.CancelledError
        if ctx.config["error"] == "exit":
            sys.exit("password=hunter2")
        known: dict[str, Any] = vars(errors)
        retry_after = timedelta(seconds=7) if ctx.config["error"] == "RateLimitedError" else None
        raise known[ctx.config["error"]]("no " * ctx.config.get("words", 1), retry_after=retry_after)


@dataclass
class SlowConnector(TrivialConnector):
    """Its creates wait until the test opens the gate."""

    name = "Slow"
    task_type = "slow"
    started: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    created: int = 0

    async def create(self, ctx: CreateContext[dict[str, Any]]) -> Job:
        self.started.set()
        await self.gate.wait()
        self.created += 1
        return Job(id=f"slow-{self.created}")


@dataclass
class BlockingThreadConnector(TrivialConnector):
    """A plain function that blocks its thread until the test opens the gate."""

    name = "BlockingThread"
    task_type = "blocking_thread"
    gate: threading.Event = field(default_factory=threading.Event)

    def create(self, ctx: CreateContext[dict[str, Any]]) -> Job:  # type: ignore[override]
        self.gate.wait(30)
        return Job(id="blocked")


class BlockingLoopConnector(TrivialConnector):
    """Does what it must not: blocks the event loop, for as many seconds as the config says."""

    name = "BlockingLoop"
    task_type = "blocking_loop"

    async def create(self, ctx: CreateContext[dict[str, Any]]) -> Job:
        threading.Event().wait(ctx.config["seconds"])
        return Job(id="late")


@dataclass
class SickConnector(TrivialConnector):
    """Its check fails while `sick` is set, and never answers while `stuck` is."""

    name = "Sick"
    task_type = "sick"
    sick: bool = True
    stuck: bool = False

    async def check(self) -> None:
        if self.stuck:
            await asyncio.Event().wait()
        if self.sick:
            raise errors.UnavailableError("the warehouse does not answer")


class FileGatedConnector(TrivialConnector):
    """For real processes: a create says that it began with one file, and waits for another."""

    name = "FileGated"
    task_type = "file_gated"

    async def create(self, ctx: CreateContext[dict[str, Any]]) -> Job:
        folder = Path(ctx.config["folder"])
        (folder / "began").write_text(json.dumps(ctx.idempotency_key))
        while not (folder / "go").exists():  # noqa: ASYNC110 - the event is in another process
            await asyncio.sleep(0.01)
        return Job(id="gated")


connectors = [TrivialConnector, TrivialSyncConnector, ChattyConnector, FailingConnector, FileGatedConnector]
