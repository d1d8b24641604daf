"""A connector-backed task in this process: the same dispatch as behind a server, without the server."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from connectory.connector.contract import LogLink, Phase
from connectory.connector.discovery import discover
from connectory.connector.dispatch import Dispatcher
from connectory.connector.job_failure import JobFailedError
from connectory.connector.registry import Registry
from connectory.errors import ConnectorError, ExecutionError
from connectory.secrets import default_secrets
from connectory.storage import Storage, default_storage
from connectory.types import ConversionContext, default_types
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import literals_pb2, tasks_pb2

__all__ = ["Progress", "run_local"]

PATIENCE: Final = 60.0
"""How many seconds polls may fail in a row, as long as asking again may help, before the job is given up."""
_FIRST_DELAY, _LONGEST_DELAY = 0.05, 2.0
_DELETE_ATTEMPTS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How the job of a local task stands."""

    phase: Phase
    message: str
    log_links: tuple[LogLink, ...]
    elapsed: float
    """Seconds since the task was started."""


async def run_local(
    template: tasks_pb2.TaskTemplate,
    literals: literals_pb2.LiteralMap,
    *,
    dispatcher: Dispatcher | None = None,
    registry: Registry | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    output_prefix: str = "",
) -> literals_pb2.LiteralMap:
    """The outputs of a task that a connector does.

    Without `dispatcher` one is made for `registry`, or for the connectors that are installed, and closed at the end.
    Without `output_prefix` outputs go to a folder that is removed when the process ends. Every change of phase or
    message is told to `on_progress`. A task that does not succeed is an `ExecutionError`. A call that is cancelled
    (Ctrl-C under `asyncio.run` is one), or that can't follow its job any longer, deletes the job before it ends.
    """
    storage = default_storage()
    prefix = output_prefix or str(ConversionContext(storage=storage).new_local_path("outputs"))
    async with _dispatching(dispatcher, registry, storage) as used:
        run = _Run(used, template, literals, prefix, on_progress)
        registration = used.registry.route(template.type, template.task_type_version).registration
        resource = await (run.at_once() if registration.is_sync else run.as_job())
    if resource.phase != Phase.SUCCEEDED.value:
        phase = Phase(resource.phase).name
        message = f"task {template.id.name or template.type} ended as {phase}: {resource.message}"
        raise JobFailedError(message, resource)
    return await _outputs(resource, template, prefix, storage)


@asynccontextmanager
async def _dispatching(
    dispatcher: Dispatcher | None, registry: Registry | None, storage: Storage
) -> AsyncIterator[Dispatcher]:
    if dispatcher is not None:
        yield dispatcher
        return
    registry = discover() if registry is None else registry
    own = Dispatcher(registry, secrets=default_secrets(), storage=storage, types=default_types())
    try:
        yield own
    finally:
        await own.aclose()


class _Run:
    """One run of one task."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        template: tasks_pb2.TaskTemplate,
        literals: literals_pb2.LiteralMap,
        prefix: str,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._dispatcher = dispatcher
        self._template = template
        self._literals = literals
        self._prefix = prefix
        self._on_progress = on_progress
        self._category = pb.TaskCategory(name=template.type, version=template.task_type_version)
        self._started = time.monotonic()
        self._told: tuple[int, str, int] | None = None

    async def at_once(self) -> pb.Resource:
        header = pb.CreateRequestHeader(template=self._template, output_prefix=self._prefix)
        resource = pb.Resource()
        async for answer in self._dispatcher.execute(header, self._literals):
            if answer.HasField("header"):
                resource = answer.header.resource
        self._tell(resource)
        return resource

    async def as_job(self) -> pb.Resource:
        request = pb.CreateTaskRequest(template=self._template, inputs=self._literals, output_prefix=self._prefix)
        handle = (await self._dispatcher.create(request)).resource_meta
        ended = False
        try:
            resource = await self._end_of(handle)
            ended = True
            return resource
        finally:
            if not ended:
                await asyncio.shield(asyncio.ensure_future(self._delete(handle)))

    async def _end_of(self, handle: bytes) -> pb.Resource:
        request = pb.GetTaskRequest(resource_meta=handle, task_category=self._category, output_prefix=self._prefix)
        delay, last_good = _FIRST_DELAY, time.monotonic()
        while True:
            try:
                resource = (await self._dispatcher.get(request)).resource
            except ConnectorError as error:
                if not error.retryable or time.monotonic() - last_good > PATIENCE:
                    raise
            else:
                last_good = time.monotonic()
                self._tell(resource)
                if Phase(resource.phase).is_terminal:
                    return resource
            await asyncio.sleep(delay)
            delay = min(delay * 1.5, _LONGEST_DELAY)

    async def _delete(self, handle: bytes) -> None:
        request = pb.DeleteTaskRequest(resource_meta=handle, task_category=self._category)
        for attempt in range(_DELETE_ATTEMPTS):
            try:
                await self._dispatcher.delete(request)
                return
            except ConnectorError:
                if attempt + 1 == _DELETE_ATTEMPTS:
                    raise
                await asyncio.sleep(_FIRST_DELAY * 2**attempt)

    def _tell(self, resource: pb.Resource) -> None:
        seen = (resource.phase, resource.message, len(resource.log_links))
        if self._on_progress is None or seen == self._told:
            return
        self._told = seen
        links = tuple(LogLink(uri=link.uri, name=link.name, ready=link.ready) for link in resource.log_links)
        elapsed = time.monotonic() - self._started
        self._on_progress(
            Progress(phase=Phase(resource.phase), message=resource.message, log_links=links, elapsed=elapsed)
        )


async def _outputs(
    resource: pb.Resource, template: tasks_pb2.TaskTemplate, prefix: str, storage: Storage
) -> literals_pb2.LiteralMap:
    """The outputs in the answer, or those that the job itself wrote to the output prefix."""
    if resource.HasField("outputs") or not template.interface.outputs.variables:
        return resource.outputs
    url = storage.join(prefix, "outputs.pb")
    if not await asyncio.to_thread(storage.exists, url):
        names = ", ".join(sorted(template.interface.outputs.variables))
        raise ExecutionError(
            f"task {template.id.name or template.type} succeeded without its outputs ({names}): "
            f"they are neither in the answer nor at {url}"
        )
    return literals_pb2.LiteralMap.FromString(await asyncio.to_thread(storage.read, url))
