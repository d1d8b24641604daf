"""Jobs that cost nothing to ask about: `connectory serve --module benchmarks.watched_connector`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any, ClassVar, Final

from connectory.connector.contract import AsyncConnector, CreateContext, JobContext, Phase, Resource

__all__ = ["CHANGING", "STEADY", "connectors"]

STEADY: Final = "bench_steady"
CHANGING: Final = "bench_changing"


@dataclass
class Job:
    number: int
    """0: the one that tells how often all others were asked about."""


class Steady(AsyncConnector[Mapping[str, Any], Job]):
    """Its jobs run for ever, and say the same whenever they are asked about, once a second."""

    task_type = STEADY
    poll_every = timedelta(seconds=1)
    polls: ClassVar[int] = 0
    numbers: ClassVar = count()

    async def create(self, ctx: CreateContext[Mapping[str, Any]]) -> Job:
        return Job(number=next(self.numbers))

    async def get(self, job: Job, ctx: JobContext) -> Resource:
        if job.number == 0:
            return Resource(phase=Phase.RUNNING, message=str(type(self).polls))
        type(self).polls += 1
        return Resource(phase=Phase.RUNNING, message=self.message())

    async def delete(self, job: Job, ctx: JobContext) -> None:
        return None

    def message(self) -> str:
        """What a job says."""
        return "running"


class Changing(Steady):
    """Its jobs say something else each time."""

    task_type = CHANGING
    numbers: ClassVar = count()

    def message(self) -> str:
        return f"step {type(self).polls}"


connectors = [Steady, Changing]
