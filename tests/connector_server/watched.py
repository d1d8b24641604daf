"""An external system in a folder whose jobs are what a test writes, and which counts how often it is asked.

Job NAME stands as the JSON in the file NAME says; the file NAME.polls grows by a byte with each poll. Without the file
there is no such job; "away" in it means that the system cannot be reached.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from connectory.connector.contract import AsyncConnector, CreateContext, JobContext, JobError, Phase, Resource
from connectory.errors import NotFoundError, UnavailableError

__all__ = ["Bulletin", "BulletinJob", "EagerConnector", "LazyConnector", "connectors"]


class Bulletin:
    """The external system in one folder."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, **says: Any) -> None:
        """Have a job stand like this from now on."""
        file = self.folder / name
        file.with_suffix(".new").write_text(json.dumps(says))
        file.with_suffix(".new").rename(file)

    def polls(self, name: str) -> int:
        """How often a job was asked about."""
        counted = self.folder / f"{name}.polls"
        return counted.stat().st_size if counted.exists() else 0

    def poll(self, name: str) -> Mapping[str, Any]:
        counted = os.open(self.folder / f"{name}.polls", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(counted, b".")
        os.close(counted)
        try:
            says: Mapping[str, Any] = json.loads((self.folder / name).read_text())
        except FileNotFoundError:
            raise NotFoundError(f"there is no job {name}") from None
        return says


@dataclass(frozen=True)
class BulletinJob:
    """A job's name, and where the system is."""

    name: str
    folder: str


class EagerConnector(AsyncConnector[BulletinJob, BulletinJob]):
    """Wants its jobs polled often. A task's config is its job's handle."""

    name = "Eager"
    task_type = "eager"
    poll_every = timedelta(milliseconds=20)

    async def create(self, ctx: CreateContext[BulletinJob]) -> BulletinJob:
        return ctx.config

    async def get(self, job: BulletinJob, ctx: JobContext) -> Resource:
        bulletin = Bulletin(job.folder)
        says = bulletin.poll(job.name)
        if says.get("away"):
            raise UnavailableError("the system is away")
        size = int(says.get("size", 0))
        return Resource(
            phase=Phase[says.get("phase", "RUNNING")],
            message=says.get("message", ""),
            custom_info={"poll": bulletin.polls(job.name), "text": "x" * size} if size else says.get("facts"),
            error=JobError(code="Broken") if says.get("phase") == "FAILED" else None,
        )

    async def delete(self, job: BulletinJob, ctx: JobContext) -> None:
        (Bulletin(job.folder).folder / job.name).unlink(missing_ok=True)


class LazyConnector(EagerConnector):
    """Wants its jobs polled once an hour."""

    name = "Lazy"
    task_type = "lazy"
    poll_every = timedelta(hours=1)


connectors = [EagerConnector, LazyConnector]
