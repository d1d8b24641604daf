"""The connector of the external system; the socket's path is in CHAOS_WORLD."""

import os
from dataclasses import dataclass

from connectory.connector.contract import AsyncConnector, CreateContext, JobContext, JobError, Phase, Resource
from tests.chaos.world import ask

__all__ = ["connectors"]


@dataclass(frozen=True)
class Config:
    """What a task says."""

    seconds: float = 0.1
    fail_first: int = 0
    """How many attempts fail before one succeeds."""


@dataclass(frozen=True)
class Job:
    """The handle: the job, and what it will have worked out."""

    id: str
    value: int


class WorldConnector(AsyncConnector[Config, Job]):
    """Adds up its inputs in the external system."""

    name = "World"
    task_type = "world"

    async def create(self, ctx: CreateContext[Config]) -> Job:
        attempt = ctx.metadata.task_execution_id.retry_attempt
        outcome = "flaky" if attempt < ctx.config.fail_first else "done"
        made = await ask(_socket(), "submit", key=ctx.idempotency_key, seconds=ctx.config.seconds, outcome=outcome)
        return Job(made["id"], _value(ctx))

    async def find(self, key: str, ctx: CreateContext[Config]) -> Job | None:
        found = (await ask(_socket(), "find", key=key))["id"]
        return None if found is None else Job(found, _value(ctx))

    async def get(self, job: Job, ctx: JobContext) -> Resource:
        state = (await ask(_socket(), "status", id=job.id))["state"]
        if state == "done":
            return Resource(phase=Phase.SUCCEEDED, outputs={"o": job.value})
        if state == "running":
            return Resource(phase=Phase.RUNNING)
        return Resource(phase=Phase.RETRYABLE_FAILED, error=JobError(code=state.upper(), recoverable=True))

    async def delete(self, job: Job, ctx: JobContext) -> None:
        await ask(_socket(), "cancel", id=job.id)


def _value(ctx: CreateContext[Config]) -> int:
    return sum(sum(value) if isinstance(value, list) else value for value in ctx.inputs.values())


def _socket() -> str:
    return os.environ["CHAOS_WORLD"]


connectors = [WorldConnector]
