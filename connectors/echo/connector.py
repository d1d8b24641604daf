"""The echo connectors: an async one whose job is done as soon as it is created, and its sync twin."""

import asyncio
import hashlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from google.protobuf.message import DecodeError

from connectors.echo.selection import echoed
from connectory.connector.contract import (
    AsyncConnector,
    CreateContext,
    JobContext,
    Phase,
    Resource,
    SyncConnector,
)
from connectory.errors import InvalidTaskError, NotFoundError
from connectory.storage import ObjectNotFoundError, Storage
from connectory.v1 import literals_pb2

__all__ = ["INLINE_LIMIT", "EchoConfig", "EchoConnector", "EchoJob", "EchoSyncConnector"]

T = TypeVar("T")

_HEX = re.compile(r"[0-9a-f]{32}")

INLINE_LIMIT = 32 * 1024
"""Outputs up to this many bytes travel in the handle; larger ones are kept in a file at the output prefix."""


@dataclass(frozen=True, kw_only=True)
class EchoConfig:
    """An echo task has nothing to configure."""


@dataclass(frozen=True, kw_only=True)
class EchoJob:
    """Where the outputs are: in the handle itself, or in a file `echo-{file}.pb` under a prefix.

    A file is named by its parts, so that a handle can't be made up that removes any other file.
    """

    inline: bytes = b""
    """The serialized outputs; empty when they are in a file."""
    prefix: str = ""
    """The object store URL under which the file is; empty when there is none."""
    file: str = ""
    """The file's own part of its name, in hexadecimal; empty when there is none."""

    def url(self, storage: Storage) -> str:
        """The file's URL."""
        if not _HEX.fullmatch(self.file):
            raise InvalidTaskError(
                "the handle names no echo file", fields={"resource_meta.job.file": "not hexadecimal"}
            )
        return storage.join(self.prefix, f"echo-{self.file}.pb")


class EchoConnector(AsyncConnector[EchoConfig, EchoJob]):
    """Each declared output is the input of the same name. The job has succeeded once it is created."""

    name: ClassVar[str] = "Echo"
    task_type = "echo"

    def __init__(self) -> None:
        self._files = ThreadPoolExecutor(max_workers=4, thread_name_prefix="echo-files")

    async def create(self, ctx: CreateContext[EchoConfig]) -> EchoJob:
        """Keep the outputs in the handle, or at the output prefix when they are large."""
        data = echoed(ctx).SerializeToString()
        if len(data) <= INLINE_LIMIT:
            return EchoJob(inline=data)
        if not ctx.output_prefix:
            text = f"outputs of {len(data)} bytes need an output prefix; without one at most {INLINE_LIMIT} are echoed"
            raise InvalidTaskError(text, fields={"output_prefix": "missing"})
        job = EchoJob(prefix=ctx.output_prefix, file=hashlib.sha256(ctx.idempotency_key.encode()).hexdigest()[:32])
        await self._in_thread(lambda: ctx.storage.write(job.url(ctx.storage), data))
        return job

    async def get(self, job: EchoJob, ctx: JobContext) -> Resource:
        """Always succeeded; the outputs are read back."""
        data = await self._in_thread(lambda: _read(job, ctx)) if job.file else job.inline
        try:
            outputs = literals_pb2.LiteralMap.FromString(data)
        except DecodeError:
            where = job.url(ctx.storage) if job.file else "the handle"
            raise InvalidTaskError(f"{where} holds no outputs; nobody but this connector may write it") from None
        return Resource(phase=Phase.SUCCEEDED, outputs=outputs)

    async def delete(self, job: EchoJob, ctx: JobContext) -> None:
        """Remove the file, if there is one."""
        if job.file:
            await self._in_thread(lambda: ctx.storage.delete(job.url(ctx.storage)))

    async def find(self, key: str, ctx: CreateContext[EchoConfig]) -> EchoJob | None:
        """None: an echo job is its handle and nothing else, so creating it again repeats nothing."""
        return None

    def close(self) -> None:
        """End the threads that read and write large outputs."""
        self._files.shutdown(wait=False)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._files, call)


class EchoSyncConnector(SyncConnector[EchoConfig]):
    """Each declared output is the input of the same name, within one call."""

    name: ClassVar[str] = "EchoSync"
    task_type = "echo_sync"

    async def execute(self, ctx: CreateContext[EchoConfig]) -> Resource:
        """Succeed with the outputs."""
        return Resource(phase=Phase.SUCCEEDED, outputs=echoed(ctx))


def _read(job: EchoJob, ctx: JobContext) -> bytes:
    url = job.url(ctx.storage)
    try:
        return ctx.storage.read(url)
    except ObjectNotFoundError as error:
        raise NotFoundError(f"the echoed outputs at {url} are gone; the job was deleted") from error
