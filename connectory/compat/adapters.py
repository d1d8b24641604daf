"""Connectors of Flyte's contract behind this project's contract."""

import inspect
from collections.abc import Callable, Iterable, Sequence, Set
from datetime import UTC
from typing import Any, Protocol, TypeVar

from connectory.compat.models import LiteralMap, Resource, TaskTemplate
from connectory.connector import contract
from connectory.connector.configs import plain
from connectory.connector.contract import (
    AsyncConnector,
    Connector,
    CreateContext,
    JobContext,
    LogLine,
    LogLink,
    LogPage,
    LogRequest,
    MetricSeries,
    MetricsRequest,
    SyncConnector,
    TaskCategory,
)
from connectory.v1.connector_pb2 import SYSTEM, USER, GetTaskLogsResponse, GetTaskMetricsResponse

__all__ = ["async_adapter", "sync_adapter"]

R = TypeVar("R")


class _Named(Protocol):
    name: str

    @property
    def task_category(self) -> TaskCategory: ...


class _Flyte(Connector[dict[str, Any]]):
    """What both adapters share: the name and the category of the connector behind them."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.name = _name(inner)  # type: ignore[misc]  # a class attribute of the contract, here by instance

    @property
    def categories(self) -> Sequence[TaskCategory]:
        return (self.inner.task_category,)


class _Sync(_Flyte, SyncConnector[dict[str, Any]]):
    def execute(self, ctx: CreateContext[dict[str, Any]]) -> Any:
        answer = self.inner.do(
            task_template=TaskTemplate(ctx.template),
            output_prefix=ctx.output_prefix,
            inputs=LiteralMap.from_flyte_idl(ctx.literals),
        )
        return _then(answer, _resource)


class _Async(_Flyte, AsyncConnector[dict[str, Any], Any]):
    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.handle_type = inner.metadata_type

    def create(self, ctx: CreateContext[dict[str, Any]]) -> Any:
        return self.inner.create(
            task_template=TaskTemplate(ctx.template),
            output_prefix=ctx.output_prefix,
            inputs=LiteralMap.from_flyte_idl(ctx.literals),
            task_execution_metadata=ctx.metadata,
        )

    def get(self, job: Any, ctx: JobContext) -> Any:
        return _then(self.inner.get(resource_meta=job), _resource)

    def delete(self, job: Any, ctx: JobContext) -> Any:
        return self.inner.delete(resource_meta=job)


class _WithMetrics(_Async):
    def metrics(self, job: Any, request: MetricsRequest, ctx: JobContext) -> Any:
        return _then(self.inner.get_metrics(resource_meta=job), _series)


class _WithLogs(_Async):
    def logs(self, job: Any, request: LogRequest, ctx: JobContext) -> Any:
        return _then(self.inner.get_logs(resource_meta=job), _pages)


def sync_adapter(inner: _Named) -> SyncConnector[dict[str, Any]]:
    """A sync connector of Flyte's contract as one of this project's."""
    return _Sync(inner)


def async_adapter(inner: _Named, offers: Set[str]) -> AsyncConnector[dict[str, Any], Any]:
    """An async connector of Flyte's contract as one of this project's, with the optional operations that it offers."""
    parts = tuple(part for name, part in (("get_metrics", _WithMetrics), ("get_logs", _WithLogs)) if name in offers)
    adapter: type[_Async] = type("FlyteAsyncConnector", (*parts, _Async), {})
    return adapter(inner)


def _name(inner: _Named) -> str:
    return inner.name or type(inner).__name__


def _then(answer: Any, convert: Callable[[Any], R]) -> Any:
    """The converted answer, or an awaitable of it when the method was `async def`."""
    if not inspect.isawaitable(answer):
        return convert(answer)

    async def later() -> R:
        return convert(await answer)

    return later()


def _resource(resource: Resource) -> contract.Resource:
    if not isinstance(resource, Resource):
        raise TypeError(f"a connector answers a Resource, not a {type(resource).__name__}")
    outputs = resource.outputs.to_flyte_idl() if isinstance(resource.outputs, LiteralMap) else resource.outputs
    return contract.Resource(
        phase=int(resource.phase),
        message=resource.message or "",
        log_links=[LogLink(uri=link.uri, name=link.name) for link in resource.log_links or ()],
        outputs=outputs,
        custom_info=resource.custom_info,
    )


def _series(response: GetTaskMetricsResponse) -> list[MetricSeries]:
    return [MetricSeries(metric=result.metric, data=plain(result.data)) for result in response.results]


def _pages(answer: GetTaskLogsResponse | Iterable[GetTaskLogsResponse]) -> list[LogPage]:
    answers = [answer] if isinstance(answer, GetTaskLogsResponse) else answer
    pages: list[LogPage] = []
    lines: list[LogLine] = []
    for answer in answers:
        if answer.WhichOneof("part") == "header":
            pages.append(LogPage(lines=lines, token=answer.header.token))
            lines = []
        else:
            lines.extend(_lines(answer))
    return [*pages, LogPage(lines=lines, token="")] if lines else pages


def _lines(answer: GetTaskLogsResponse) -> list[LogLine]:
    if not answer.body.structured_lines:
        return [LogLine(message=text) for text in answer.body.results]
    origins = {USER: "user", SYSTEM: "system"}
    return [
        LogLine(
            message=line.message,
            timestamp=line.timestamp.ToDatetime(tzinfo=UTC) if line.HasField("timestamp") else None,
            origin=origins.get(line.originator, "unknown"),  # type: ignore[arg-type]
        )
        for line in answer.body.structured_lines
    ]
