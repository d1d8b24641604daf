"""Jobs that run until they are deleted: `connectory serve --module benchmarks.runner.long_jobs`."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from connectory.connector.contract import AsyncConnector, CreateContext, JobContext, Phase, Resource

__all__ = ["POLL", "TASK_TYPE", "connectors"]

TASK_TYPE: Final = "bench_long"
POLL: Final = 10.0
"""Every job is asked about once in so many seconds."""


@dataclass
class Job:
    number: int


class LongJobs(AsyncConnector[dict[str, Any], Job]):
    task_type = TASK_TYPE
    poll_every = timedelta(seconds=POLL)

    def __init__(self) -> None:
        self._begun = 0
        self._deleted: set[int] = set()

    async def create(self, ctx: CreateContext[dict[str, Any]]) -> Job:
        self._begun += 1
        return Job(self._begun)

    async def get(self, job: Job, ctx: JobContext) -> Resource:
        return Resource(phase=Phase.ABORTED if job.number in self._deleted else Phase.RUNNING)

    async def delete(self, job: Job, ctx: JobContext) -> None:
        self._deleted.add(job.number)


connectors = [LongJobs]
