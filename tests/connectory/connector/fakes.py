"""Connectors for tests, each with a part of the contract."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectory.connector.contract import (
    AsyncConnector,
    CreateContext,
    JobContext,
    LogLine,
    LogPage,
    LogRequest,
    MetricSeries,
    MetricsRequest,
    Phase,
    Resource,
    SyncConnector,
)
from connectory.errors import NotFoundError

__all__ = ["FakeConfig", "FakeConnector", "FakeJob", "FakeSyncConnector", "FakeSystem"]


@dataclass
class FakeConfig:
    size: int = 1
    ratio: float = 0.5
    names: list[str] = field(default_factory=list)


@dataclass
class FakeJob:
    job_id: str


class FakeSystem:
    """An external system in memory: it counts the jobs that were ever created, and outlives connectors."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.created = 0
        self.deleted = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.reached = asyncio.Event()

    async def start(self, key: str, outputs: Mapping[str, Any]) -> str:
        self.reached.set()
        await self.may_go_on.wait()
        self.created += 1
        job_id = f"job-{self.created}"
        self.jobs[job_id] = {"key": key, "outputs": dict(outputs)}
        return job_id


class FakeConnector(AsyncConnector[FakeConfig, FakeJob]):
    name = "Fake"
    task_type = "fake"

    def __init__(self, system: FakeSystem | None = None) -> None:
        self.system = system or FakeSystem()
        self.contexts: list[JobContext] = []
        self.next: Resource | None = None

    async def create(self, ctx: CreateContext[FakeConfig]) -> FakeJob:
        self.contexts.append(ctx)
        return FakeJob(job_id=await self.system.start(ctx.idempotency_key, ctx.inputs))

    async def get(self, job: FakeJob, ctx: JobContext) -> Resource:
        self.contexts.append(ctx)
        if self.next is not None:
            return self.next
        if job.job_id not in self.system.jobs:
            raise NotFoundError(f"there is no job {job.job_id}")
        return Resource(phase=Phase.SUCCEEDED, outputs=self.system.jobs[job.job_id]["outputs"])

    async def delete(self, job: FakeJob, ctx: JobContext) -> None:
        if self.system.jobs.pop(job.job_id, None) is None:
            raise NotFoundError(f"there is no job {job.job_id}")
        self.system.deleted += 1

    async def find(self, key: str, ctx: CreateContext[FakeConfig]) -> FakeJob | None:
        for job_id, job in self.system.jobs.items():
            if job["key"] == key:
                return FakeJob(job_id=job_id)
        return None

    async def logs(self, job: FakeJob, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        start = int(request.token or 0)
        stop = min(5, start + (request.lines or 5))
        for number in range(start, stop, 2):
            end = min(number + 2, stop)
            yield LogPage(lines=[LogLine(message=f"line {i}") for i in range(number, end)], token=str(end))

    async def metrics(self, job: FakeJob, request: MetricsRequest, ctx: JobContext) -> list[MetricSeries]:
        return [MetricSeries(metric=query, data={"values": [1, 2.5]}) for query in request.queries]


class FakeSyncConnector(SyncConnector[FakeConfig]):
    name = "FakeSync"
    task_type = "fake_sync"

    def __init__(self) -> None:
        self.next: Resource | None = None

    def execute(self, ctx: CreateContext[FakeConfig]) -> Resource:
        return self.next or Resource(phase=Phase.SUCCEEDED, outputs=dict(ctx.inputs))
