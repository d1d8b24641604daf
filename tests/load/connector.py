"""An external system in a folder, made for many jobs, and a connector to it.

`made` has a line for each job that was ever started: its number and its key. A file of that number in `jobs` is there
until the job is deleted, and `keys/KEY` names the number, as a system's own index would.
"""

import secrets
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from connectory.connector.contract import AsyncConnector, CreateContext, JobContext, Phase, Resource
from connectory.errors import NotFoundError

__all__ = ["System", "connectors"]


class System:
    """The jobs in one folder."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        for name in ("jobs", "keys"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def submit(self, key: str) -> str:
        number = secrets.token_hex(8)
        with (self.folder / "made").open("a") as made:
            made.write(f"{number} {key}\n")
        (self.folder / "jobs" / number).touch()
        (self.folder / "keys" / key).write_text(number)
        return number

    def find(self, key: str) -> str | None:
        index = self.folder / "keys" / key
        return index.read_text() if index.exists() else None

    def has(self, number: str) -> bool:
        return (self.folder / "jobs" / number).exists()

    def remove(self, number: str) -> None:
        (self.folder / "jobs" / number).unlink(missing_ok=True)

    def submitted(self) -> Counter[str]:
        """How often a job was started for each key."""
        return Counter(line.split()[1] for line in (self.folder / "made").read_text().splitlines())

    def left(self) -> list[str]:
        """The numbers of the jobs that were not deleted."""
        return [file.name for file in (self.folder / "jobs").iterdir()]


@dataclass(frozen=True)
class Config:
    folder: str


@dataclass(frozen=True)
class Job:
    number: str
    folder: str


class Connector(AsyncConnector[Config, Job]):
    name = "Load"
    task_type = "load"

    async def create(self, ctx: CreateContext[Config]) -> Job:
        return Job(System(ctx.config.folder).submit(ctx.idempotency_key), ctx.config.folder)

    async def find(self, key: str, ctx: CreateContext[Config]) -> Job | None:
        number = System(ctx.config.folder).find(ctx.idempotency_key)
        return None if number is None else Job(number, ctx.config.folder)

    async def get(self, job: Job, ctx: JobContext) -> Resource:
        if not System(job.folder).has(job.number):
            raise NotFoundError(f"there is no job {job.number}")
        return Resource(phase=Phase.RUNNING)

    async def delete(self, job: Job, ctx: JobContext) -> None:
        System(job.folder).remove(job.number)


connectors = [Connector]
