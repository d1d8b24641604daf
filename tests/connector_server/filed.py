"""An external system in a folder, which outlives the servers that are killed, and connectors to it.

Each job is a file in `jobs/`, named by a number that the system gives and holding the key. A create stops at the points
`before` and `after` (the job is there, nobody knows it yet) while the file `hold-POINT` is in the folder, and tells
that it is there by writing its process id to `at-POINT`. A file `ended` ends all jobs, `deaf` fails all deletes.
"""

import asyncio
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from connectory.connector.contract import AsyncConnector, CreateContext, JobContext, Phase, Resource
from connectory.errors import NotFoundError, UnavailableError

__all__ = ["BlindConnector", "FiledConnector", "FiledSystem", "connectors"]


class FiledSystem:
    """The external system in one folder."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        (self.folder / "jobs").mkdir(parents=True, exist_ok=True)

    @property
    def jobs(self) -> dict[str, str]:
        """The key of each job that exists, by its number."""
        return {file.name: file.read_text() for file in (self.folder / "jobs").iterdir() if file.suffix != ".new"}

    @property
    def created(self) -> int:
        """How many jobs were ever created."""
        made = self.folder / "created"
        return len(made.read_text().splitlines()) if made.exists() else 0

    def start(self, key: str) -> str:
        number = secrets.token_hex(8)
        file = self.folder / "jobs" / number
        with (self.folder / "created").open("a") as made:
            made.write(f"{number}\n")
        file.with_suffix(".new").write_text(key)
        file.with_suffix(".new").rename(file)
        return number

    def hold(self, point: str) -> None:
        """Creates stop at this point from now on."""
        (self.folder / f"at-{point}").unlink(missing_ok=True)
        (self.folder / f"hold-{point}").touch()

    def release(self, point: str) -> None:
        """Creates go on."""
        (self.folder / f"hold-{point}").unlink(missing_ok=True)

    async def reached(self, point: str) -> int:
        """Wait until a create has stopped there; answers the id of its process."""
        told = self.folder / f"at-{point}"
        async with asyncio.timeout(30):
            while not told.exists() or not told.read_text():  # noqa: ASYNC110 - the event is in another process
                await asyncio.sleep(0.01)
        return int(told.read_text())

    async def passes(self, point: str) -> None:
        """Stop here while it is held."""
        (self.folder / f"at-{point}").write_text(str(os.getpid()))
        while (self.folder / f"hold-{point}").exists():  # noqa: ASYNC110 - the event is in another process
            await asyncio.sleep(0.01)

    def says(self, word: str) -> bool:
        """Whether a file of this name is there."""
        return (self.folder / word).exists()

    async def empty(self) -> None:
        """Wait until no job is left."""
        async with asyncio.timeout(30):
            while self.jobs:  # noqa: ASYNC110 - the event is in another process
                await asyncio.sleep(0.01)


@dataclass(frozen=True)
class FiledConfig:
    """Where the system is."""

    folder: str


@dataclass(frozen=True)
class FiledJob:
    """A job's number, and where the system is."""

    number: str
    folder: str


class BlindConnector(AsyncConnector[FiledConfig, FiledJob]):
    """Cannot look for jobs by key."""

    name = "Blind"
    task_type = "blind"

    async def create(self, ctx: CreateContext[FiledConfig]) -> FiledJob:
        system = FiledSystem(ctx.config.folder)
        await system.passes("before")
        number = system.start(ctx.idempotency_key)
        await system.passes("after")
        return FiledJob(number, ctx.config.folder)

    async def get(self, job: FiledJob, ctx: JobContext) -> Resource:
        system = FiledSystem(job.folder)
        if job.number not in system.jobs:
            raise NotFoundError(f"there is no job {job.number}")
        return Resource(phase=Phase.SUCCEEDED if system.says("ended") else Phase.RUNNING)

    async def delete(self, job: FiledJob, ctx: JobContext) -> None:
        system = FiledSystem(job.folder)
        if system.says("deaf"):
            raise UnavailableError("the system does not answer")
        (system.folder / "jobs" / job.number).unlink(missing_ok=True)


class FiledConnector(BlindConnector):
    """Finds jobs by key, and wants its orphans deleted."""

    name = "Filed"
    task_type = "filed"
    on_orphan = "delete"

    async def find(self, key: str, ctx: CreateContext[FiledConfig]) -> FiledJob | None:
        for number, its_key in FiledSystem(ctx.config.folder).jobs.items():
            if its_key == key:
                return FiledJob(number, ctx.config.folder)
        return None


connectors = [FiledConnector, BlindConnector]
