"""A connector that blocks its thread: `connectory serve --module benchmarks.connector --module benchmarks.blocking`."""

import time
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.messages import BLOCKING_TYPE
from connectory.connector.contract import AsyncConnector, CreateContext, JobContext, Phase, Resource

__all__ = ["BlockingConnector", "connectors"]

_SECONDS: Final = 0.5


@dataclass
class Job:
    job_id: str


class BlockingConnector(AsyncConnector[dict[str, Any], Job]):
    task_type = BLOCKING_TYPE

    def create(self, ctx: CreateContext[dict[str, Any]]) -> Job:
        time.sleep(_SECONDS)
        return Job(job_id="1")

    def get(self, job: Job, ctx: JobContext) -> Resource:
        return Resource(phase=Phase.RUNNING)

    def delete(self, job: Job, ctx: JobContext) -> None:
        return None


connectors = [BlockingConnector]
