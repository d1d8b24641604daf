"""The trivial connectors that the server is measured with: `connectory serve --module benchmarks.connector`."""

from dataclasses import dataclass
from typing import Any

from benchmarks.messages import ASYNC_TYPE, SYNC_TYPE
from connectory.connector.contract import AsyncConnector, CreateContext, JobContext, Phase, Resource, SyncConnector


@dataclass
class Job:
    job_id: str


class TrivialAsync(AsyncConnector[dict[str, Any], Job]):
    task_type = ASYNC_TYPE

    async def create(self, ctx: CreateContext[dict[str, Any]]) -> Job:
        return Job(job_id="1")

    async def get(self, job: Job, ctx: JobContext) -> Resource:
        return Resource(phase=Phase.RUNNING, message="running")

    async def delete(self, job: Job, ctx: JobContext) -> None:
        return None


class TrivialSync(SyncConnector[dict[str, Any]]):
    task_type = SYNC_TYPE

    async def execute(self, ctx: CreateContext[dict[str, Any]]) -> Resource:
        return Resource(phase=Phase.SUCCEEDED, outputs={"o0": "seven"})


connectors = [TrivialAsync, TrivialSync]
