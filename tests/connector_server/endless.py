"""A connector whose log never ends; a module of real servers, also for a process of its own."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectory.connector.contract import (
    AsyncConnector,
    CreateContext,
    JobContext,
    LogLine,
    LogPage,
    LogRequest,
    Phase,
    Resource,
)

__all__ = ["PAGE", "EndlessConnector", "connectors"]

PAGE = 64 * 1024
"""Bytes of a page of the log."""


@dataclass(frozen=True)
class Endless:
    """The handle: where it is written down how much was read, and that nobody reads any more."""

    folder: str


class EndlessConnector(AsyncConnector[dict[str, Any], Endless]):
    """Adds a byte to the file `read` for every page that is taken from it."""

    name = "Endless"
    task_type = "endless"

    async def create(self, ctx: CreateContext[dict[str, Any]]) -> Endless:
        return Endless(folder=ctx.config["folder"])

    async def get(self, job: Endless, ctx: JobContext) -> Resource:
        return Resource(phase=Phase.RUNNING)

    async def delete(self, job: Endless, ctx: JobContext) -> None:
        return

    async def logs(self, job: Endless, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        number = int(request.token or 0)
        descriptor = os.open(Path(job.folder, "read"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            while True:
                number += 1
                os.write(descriptor, b".")
                yield LogPage(lines=[LogLine(message=f"{number} ".ljust(PAGE // 2, "x"))], token=str(number))
        finally:
            os.close(descriptor)
            os.close(os.open(Path(job.folder, "left"), os.O_WRONLY | os.O_CREAT))


connectors = [EndlessConnector]
