"""Connectors that stand for those in another process: to the server they are connectors like any other."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Literal

from connector_server.isolation.handles import WholeHandle, WholeHandles
from connector_server.isolation.kept import KeptChild
from connector_server.isolation.link import LostError
from connector_server.isolation.messages import Described
from connectory.connector.configs import plain
from connectory.connector.contract import (
    AsyncConnector,
    Connector,
    CreateContext,
    JobContext,
    LogLine,
    LogPage,
    LogRequest,
    MetricSeries,
    MetricsRequest,
    Resource,
    SyncConnector,
    TaskCategory,
)
from connectory.connector.limits import Limits
from connectory.errors import AmbiguousError
from connectory.v1 import connector_pb2 as pb

__all__ = ["Isolated", "isolated"]

_ORIGINS: Final[dict[int, Literal["unknown", "user", "system"]]] = {
    pb.UNKNOWN: "unknown",
    pb.USER: "user",
    pb.SYSTEM: "system",
}


class Isolated(Connector[dict[str, Any]]):
    """What all of them have."""

    def __init__(self, child: KeptChild, described: Described) -> None:
        self.child = child
        self._categories = tuple(TaskCategory(name, version) for name, version in described.categories)

    @property
    def categories(self) -> Sequence[TaskCategory]:
        return self._categories

    async def check(self) -> None:
        first = self._categories[0]
        await self.child.ask("Check", pb.TaskCategory(name=first.name, version=first.version))

    async def close(self) -> None:
        await self.child.release()


class _Sync(Isolated, SyncConnector[dict[str, Any]]):
    async def execute(self, ctx: CreateContext[dict[str, Any]]) -> Resource:
        resource: Resource = await self.child.ask("Execute", _task(ctx), ctx)
        return resource


class _Jobs(Isolated, AsyncConnector[dict[str, Any], WholeHandle]):
    def __init__(self, child: KeptChild, described: Described) -> None:
        super().__init__(child, described)
        self.handles = WholeHandles(self)

    async def create(self, ctx: CreateContext[dict[str, Any]]) -> WholeHandle:
        try:
            answer = await self.child.ask("Create", _task(ctx), ctx)
        except LostError as lost:
            raise AmbiguousError(f"whether the job was created cannot be known: {lost.message}") from lost
        return WholeHandle(answer.resource_meta)

    async def get(self, job: WholeHandle, ctx: JobContext) -> Resource:
        request = pb.GetTaskRequest(
            task_category=_category(ctx),
            resource_meta=job.data,
            output_prefix=ctx.output_prefix,
            connection=ctx.connection,
        )
        resource: Resource = await self.child.ask("Get", request, ctx)
        return resource

    async def delete(self, job: WholeHandle, ctx: JobContext) -> None:
        request = pb.DeleteTaskRequest(task_category=_category(ctx), resource_meta=job.data, connection=ctx.connection)
        await self.child.ask("Delete", request, ctx)

    def upgrade(self, handle: Mapping[str, Any], from_version: int) -> Mapping[str, Any]:
        return handle  # its process upgrades it


class _Finds(_Jobs):
    async def find(self, key: str, ctx: CreateContext[dict[str, Any]]) -> WholeHandle | None:
        handle = (await self.child.ask("Find", _task(ctx), ctx)).resource_meta
        return WholeHandle(handle) if handle else None


class _Logs(_Jobs):
    async def logs(self, job: WholeHandle, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        wanted = pb.GetTaskLogsRequest(
            task_category=_category(ctx),
            resource_meta=job.data,
            lines=request.lines or 0,
            token=request.token,
            tail=request.newest or 0,
        )
        lines: list[LogLine] = []
        async for part in self.child.stream("Logs", wanted, ctx):
            if part.WhichOneof("part") == "body":
                lines += [_line(line) for line in part.body.structured_lines]
            else:
                yield LogPage(lines=lines, token=part.header.token)
                lines = []


class _Metrics(_Jobs):
    async def metrics(self, job: WholeHandle, request: MetricsRequest, ctx: JobContext) -> Sequence[MetricSeries]:
        wanted = pb.GetTaskMetricsRequest(
            task_category=_category(ctx),
            resource_meta=job.data,
            queries=request.queries,
        )
        if request.start is not None:
            wanted.start_time.FromDatetime(request.start)
        if request.end is not None:
            wanted.end_time.FromDatetime(request.end)
        if request.step is not None:
            wanted.step.FromTimedelta(request.step)
        answer = await self.child.ask("Metrics", wanted, ctx)
        return [MetricSeries(metric=one.metric, data=plain(one.data)) for one in answer.results]


_OPTIONAL: Final[dict[str, type[_Jobs]]] = {"find": _Finds, "logs": _Logs, "metrics": _Metrics}


def isolated(child: KeptChild, described: Described) -> Isolated:
    """A connector that declares and offers what was described."""
    bases: tuple[type[Isolated], ...] = (_Sync,)
    if not described.is_sync:
        bases = (*(_OPTIONAL[operation] for operation in described.offers), _Jobs)
    declared = {
        "name": described.name,
        "limits": Limits(**described.limits),
        "handle_version": described.handle_version,
        "on_orphan": described.on_orphan,
        "lease": timedelta(seconds=described.lease),
        "poll_every": None if described.poll_every is None else timedelta(seconds=described.poll_every),
    }
    connector: Isolated = type(f"Isolated{described.name}", bases, declared)(child, described)
    return connector


def _task(ctx: CreateContext[dict[str, Any]]) -> pb.CreateTaskRequest:
    return pb.CreateTaskRequest(
        template=ctx.template,
        inputs=ctx.literals,
        output_prefix=ctx.output_prefix,
        task_execution_metadata=ctx.metadata,
        connection=ctx.connection,
        idempotency_key=ctx.idempotency_key,
    )


def _category(ctx: JobContext) -> pb.TaskCategory:
    return pb.TaskCategory(name=ctx.category.name, version=ctx.category.version)


def _line(line: pb.LogLine) -> LogLine:
    moment = line.timestamp.ToDatetime() if line.HasField("timestamp") else None
    return LogLine(message=line.message, timestamp=moment, origin=_ORIGINS[line.originator])
