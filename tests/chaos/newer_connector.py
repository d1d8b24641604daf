"""The connector of the external system one version later: its handles name the job differently."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectory.connector.contract import AsyncConnector, CreateContext, JobContext, Resource
from tests.chaos.connector import Config, Job, WorldConnector

__all__ = ["connectors"]


@dataclass(frozen=True)
class NewerJob:
    """The handle."""

    job: str
    result: int


class NewerWorldConnector(AsyncConnector[Config, NewerJob]):
    """Does what the older one does."""

    name = "World"
    task_type = "world"
    handle_version = 2

    def __init__(self) -> None:
        self._older = WorldConnector()

    def upgrade(self, handle: Mapping[str, Any], from_version: int) -> Mapping[str, Any]:
        assert from_version == 1
        return {"job": handle["id"], "result": handle["value"]}

    async def create(self, ctx: CreateContext[Config]) -> NewerJob:
        return _newer(await self._older.create(ctx))

    async def find(self, key: str, ctx: CreateContext[Config]) -> NewerJob | None:
        found = await self._older.find(key, ctx)
        return None if found is None else _newer(found)

    async def get(self, job: NewerJob, ctx: JobContext) -> Resource:
        return await self._older.get(_older(job), ctx)

    async def delete(self, job: NewerJob, ctx: JobContext) -> None:
        await self._older.delete(_older(job), ctx)


def _newer(job: Job) -> NewerJob:
    return NewerJob(job.id, job.value)


def _older(job: NewerJob) -> Job:
    return Job(job.job, job.result)


connectors = [NewerWorldConnector]
