"""The connector services under all their names: each handler decodes, makes one call of the dispatcher, encodes."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.protobuf.message import Message

from connector_server.calls import CallContext, CallRecord, CallTracer, Method, MethodHandler, stream_call, unary_call
from connector_server.measurements import Measurements
from connector_server.names import SERVICES
from connectory.connector.contract import TaskCategory
from connectory.connector.dispatch import Dispatcher
from connectory.errors import InvalidTaskError
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import literals_pb2

__all__ = ["OPERATIONS", "connector_handlers"]


def _named_type(request: Any) -> str:
    return str(request.task_category.name or request.task_type)


def _named_category(request: Any) -> TaskCategory:
    return TaskCategory(_named_type(request), request.task_category.version)


def _template_type(request: Any) -> str:
    return str(request.template.type)


def _template_category(request: Any) -> TaskCategory:
    return TaskCategory(request.template.type, request.template.task_type_version)


def _header_type(request: pb.ExecuteTaskSyncRequest) -> str:
    return request.header.template.type


def _header_category(request: pb.ExecuteTaskSyncRequest) -> TaskCategory:
    return _template_category(request.header)


def _no_type(_request: Any) -> str:
    return ""


def _no_category(_request: Any) -> None:
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Operation:
    """How one operation is called, and where its request says which connector is meant."""

    request_class: Any
    task_type: Callable[[Any], str]
    category: Callable[[Any], TaskCategory | None]
    stream_requests: bool = False
    stream_answers: bool = False


def _on_job(request_class: Any, *, stream_answers: bool = False) -> _Operation:
    return _Operation(
        request_class=request_class,
        task_type=_named_type,
        category=_named_category,
        stream_answers=stream_answers,
    )


def _on_registry(request_class: Any) -> _Operation:
    return _Operation(request_class=request_class, task_type=_no_type, category=_no_category)


_OPERATIONS: Mapping[str, _Operation] = {
    "CreateTask": _Operation(request_class=pb.CreateTaskRequest, task_type=_template_type, category=_template_category),
    "GetTask": _on_job(pb.GetTaskRequest),
    "DeleteTask": _on_job(pb.DeleteTaskRequest),
    "GetTaskMetrics": _on_job(pb.GetTaskMetricsRequest),
    "GetTaskLogs": _on_job(pb.GetTaskLogsRequest, stream_answers=True),
    "ExecuteTaskSync": _Operation(
        request_class=pb.ExecuteTaskSyncRequest,
        task_type=_header_type,
        category=_header_category,
        stream_requests=True,
        stream_answers=True,
    ),
    "GetConnector": _on_registry(pb.GetConnectorRequest),
    "ListConnectors": _on_registry(pb.ListConnectorsRequest),
}

OPERATIONS: tuple[str, ...] = tuple(_OPERATIONS)
"""The operations by the names that metrics, spans and logs use."""


def connector_handlers(
    dispatcher: Dispatcher, measurements: Measurements, tracer: CallTracer | None = None
) -> dict[str, MethodHandler]:
    """A handler for every served method, under its full name ("/package.Service/Method")."""
    service = _Services(dispatcher)
    handlers = {}
    for served in SERVICES:
        for wire_name, operation in served.methods.items():
            name = f"/{served.name}/{wire_name}"
            handlers[name] = _handler(service, name, operation, measurements, tracer)
    return handlers


def _handler(
    service: "_Services", name: str, operation: str, measurements: Measurements, tracer: CallTracer | None
) -> MethodHandler:
    shape = _OPERATIONS[operation]
    perform = service.perform(operation)
    method = Method(
        name=name,
        operation=operation,
        request_class=shape.request_class,
        task_type=shape.task_type,
        category=shape.category,
        series=measurements.of(operation),
        tracer=tracer,
    )
    if shape.stream_requests:
        return grpc.stream_stream_rpc_method_handler(stream_call(method, perform))
    if shape.stream_answers:
        return grpc.unary_stream_rpc_method_handler(stream_call(method, perform))
    return grpc.unary_unary_rpc_method_handler(unary_call(method, perform))


class _Services:
    """One method per operation, each one call of the dispatcher."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def perform(self, operation: str) -> Callable[..., Any]:
        table: Mapping[str, Callable[..., Awaitable[Message]] | Callable[..., AsyncGenerator[Message]]] = {
            "CreateTask": self.create,
            "GetTask": self.get,
            "DeleteTask": self.delete,
            "GetTaskMetrics": self.metrics,
            "GetTaskLogs": self.logs,
            "ExecuteTaskSync": self.execute,
            "GetConnector": self.connector,
            "ListConnectors": self.connectors,
        }
        return table[operation]

    async def create(self, request: pb.CreateTaskRequest, context: CallContext) -> pb.CreateTaskResponse:
        return await self._dispatcher.create(request, deadline=_deadline(context))

    async def get(self, request: pb.GetTaskRequest, context: CallContext) -> pb.GetTaskResponse:
        return await self._dispatcher.get(request, deadline=_deadline(context))

    async def delete(self, request: pb.DeleteTaskRequest, context: CallContext) -> pb.DeleteTaskResponse:
        return await self._dispatcher.delete(request, deadline=_deadline(context))

    async def metrics(self, request: pb.GetTaskMetricsRequest, context: CallContext) -> pb.GetTaskMetricsResponse:
        return await self._dispatcher.metrics(request, deadline=_deadline(context))

    async def logs(self, record: CallRecord, data: bytes, context: CallContext) -> AsyncGenerator[Message]:
        request = record.read(data)
        async for answer in self._dispatcher.logs(request, deadline=_deadline(context)):
            yield answer

    async def execute(self, record: CallRecord, _requests: Any, context: CallContext) -> AsyncGenerator[Message]:
        header = await _header(record, context)
        inputs = _inputs(record, context)
        async for answer in self._dispatcher.execute(header, inputs, deadline=_deadline(context)):
            yield answer

    async def connector(self, request: pb.GetConnectorRequest, _context: CallContext) -> pb.GetConnectorResponse:
        return pb.GetConnectorResponse(connector=self._dispatcher.connector(request.name))

    async def connectors(self, _request: pb.ListConnectorsRequest, _context: CallContext) -> pb.ListConnectorsResponse:
        broken = (
            pb.BrokenConnector(name=entry.name, source=entry.source, reason=entry.reason)
            for entry in self._dispatcher.registry.broken
        )
        return pb.ListConnectorsResponse(connectors=self._dispatcher.connectors(), broken=broken)


def _deadline(context: CallContext) -> datetime | None:
    remaining = context.time_remaining()
    return None if remaining is None else datetime.now(UTC) + timedelta(seconds=remaining)


async def _header(record: CallRecord, context: CallContext) -> pb.CreateRequestHeader:
    data = await context.read()
    if data is grpc.aio.EOF:
        raise InvalidTaskError(
            "the stream was closed before its first message; send the header, then the inputs, then close it",
            reason="STREAM_CLOSED_EARLY",
        )
    request: pb.ExecuteTaskSyncRequest = record.read(data)
    if request.WhichOneof("part") != "header":
        raise InvalidTaskError(
            "the first message of the stream is not the header; send the header first", reason="MISSING_HEADER"
        )
    return request.header


async def _inputs(record: CallRecord, context: CallContext) -> AsyncIterator[literals_pb2.LiteralMap]:
    while (data := await context.read()) is not grpc.aio.EOF:
        request: pb.ExecuteTaskSyncRequest = record.read_more(data)
        part = request.WhichOneof("part")
        if part == "header":
            raise InvalidTaskError("the stream has a second header; one stream is one task", reason="REPEATED_HEADER")
        if part is None:
            raise InvalidTaskError(
                "a message of the stream has neither header nor inputs; send inputs or close it", reason="EMPTY_MESSAGE"
            )
        yield request.inputs
