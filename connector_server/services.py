"""The connector services under all their names: each handler decodes, makes one call of the dispatcher, encodes."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import Message

from connector_server.admission import Admission
from connector_server.calls import CallRecord, deadline_of, stream_call, unary_call
from connector_server.measurements import Measurements
from connector_server.methods import CallTracer, Guard, Method
from connector_server.names import SERVICES
from connectory.connector.dispatch import Dispatcher
from connectory.connector.streams import answers_of, merged
from connectory.connector.subjects import Subject, no_subject, subject_of_job, subject_of_task
from connectory.errors import InvalidTaskError
from connectory.rpc.handlers import CallContext, MethodHandler
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import literals_pb2

__all__ = ["OFTEN", "OPERATIONS", "connector_handlers"]


def _subject_of_header(request: pb.ExecuteTaskSyncRequest) -> Subject:
    return subject_of_task(request.header)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Operation:
    """How one operation is called, and where its request says which connector is meant."""

    request_class: Any
    subject: Callable[[Any], Subject | None]
    stream_requests: bool = False
    stream_answers: bool = False


def _on_job(request_class: Any, *, stream_answers: bool = False) -> _Operation:
    return _Operation(request_class=request_class, subject=subject_of_job, stream_answers=stream_answers)


def _on_registry(request_class: Any) -> _Operation:
    return _Operation(request_class=request_class, subject=no_subject)


_OPERATIONS: Mapping[str, _Operation] = {
    "CreateTask": _Operation(request_class=pb.CreateTaskRequest, subject=subject_of_task),
    "GetTask": _on_job(pb.GetTaskRequest),
    "DeleteTask": _on_job(pb.DeleteTaskRequest),
    "GetTaskMetrics": _on_job(pb.GetTaskMetricsRequest),
    "GetTaskLogs": _on_job(pb.GetTaskLogsRequest, stream_answers=True),
    "ExecuteTaskSync": _Operation(
        request_class=pb.ExecuteTaskSyncRequest,
        subject=_subject_of_header,
        stream_requests=True,
        stream_answers=True,
    ),
    "GetConnector": _on_registry(pb.GetConnectorRequest),
    "ListConnectors": _on_registry(pb.ListConnectorsRequest),
}

OPERATIONS: tuple[str, ...] = tuple(_OPERATIONS)
"""The operations by the names that metrics, spans and logs use."""

OFTEN: tuple[str, ...] = tuple(
    f"/{served.name}/{wire_name}"
    for served in SERVICES
    for wire_name, operation in served.methods.items()
    if operation in ("CreateTask", "GetTask", "DeleteTask", "ExecuteTaskSync")
)
"""The full names of the methods that most calls are of."""


def connector_handlers(
    dispatcher: Dispatcher,
    measurements: Measurements,
    admission: Admission,
    tracer: CallTracer | None = None,
    guard: Guard | None = None,
) -> dict[str, MethodHandler]:
    """A handler for every served method, under its full name ("/package.Service/Method")."""
    service = _Services(dispatcher)
    handlers = {}
    for served in SERVICES:
        for wire_name, operation in served.methods.items():
            name = f"/{served.name}/{wire_name}"
            handlers[name] = _handler(service, name, operation, measurements, admission, tracer, guard)
    return handlers


def _handler(
    service: "_Services",
    name: str,
    operation: str,
    measurements: Measurements,
    admission: Admission,
    tracer: CallTracer | None,
    guard: Guard | None,
) -> MethodHandler:
    shape = _OPERATIONS[operation]
    perform = service.perform(operation)
    method = Method(
        name=name,
        operation=operation,
        request_class=shape.request_class,
        subject=shape.subject,
        series=measurements.of(operation),
        admission=admission,
        tracer=tracer,
        guard=guard,
    )
    if shape.stream_requests:
        return grpc.stream_stream_rpc_method_handler(stream_call(method, perform))
    if shape.stream_answers:
        return grpc.unary_stream_rpc_method_handler(stream_call(method, perform))
    return grpc.unary_unary_rpc_method_handler(unary_call(method, perform))


class _Services:
    """What performs each operation: the dispatcher itself, or one call of it where the wire has a shape of its own."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def perform(self, operation: str) -> Callable[..., Any]:
        table: Mapping[str, Callable[..., Any]] = {
            "CreateTask": self.create,
            "GetTask": _answered_by(self._dispatcher.get),
            "DeleteTask": _answered_by(self._dispatcher.delete),
            "GetTaskMetrics": _answered_by(self._dispatcher.metrics),
            "GetTaskLogs": self.logs,
            "ExecuteTaskSync": self.execute,
            "GetConnector": self.connector,
            "ListConnectors": self.connectors,
        }
        return table[operation]

    def create(
        self, request: pb.CreateTaskRequest, data: bytes, context: CallContext
    ) -> Awaitable[pb.CreateTaskResponse]:
        return self._dispatcher.create(request, deadline=deadline_of(context), received=data)

    async def logs(self, record: CallRecord, data: bytes, context: CallContext) -> None:
        async for answer in self._dispatcher.logs(record.read(data), deadline=deadline_of(context)):
            await record.keep_admitting()
            await context.write(answer.SerializeToString())

    async def execute(self, record: CallRecord, _requests: Any, context: CallContext) -> None:
        header = await _header(record, context)
        inputs = await _inputs(record, context, header.template.interface.inputs.variables)
        resource = await self._dispatcher.complete(header, inputs, deadline=deadline_of(context))
        for answer in answers_of(resource):
            await context.write(answer.SerializeToString())

    async def connector(
        self, request: pb.GetConnectorRequest, _data: bytes, _context: CallContext
    ) -> pb.GetConnectorResponse:
        return pb.GetConnectorResponse(connector=self._dispatcher.connector(request.name))

    async def connectors(
        self, _request: pb.ListConnectorsRequest, _data: bytes, _context: CallContext
    ) -> pb.ListConnectorsResponse:
        broken = (
            pb.BrokenConnector(name=entry.name, source=entry.source, reason=entry.reason)
            for entry in self._dispatcher.registry.broken
        )
        ledger = await self._dispatcher.ledger()
        return pb.ListConnectorsResponse(connectors=self._dispatcher.connectors(), broken=broken, ledger=ledger)


def _answered_by(operation: Callable[..., Awaitable[Message]]) -> Callable[..., Awaitable[Message]]:
    def perform(request: Message, _data: bytes, context: CallContext) -> Awaitable[Message]:
        return operation(request, deadline=deadline_of(context))

    return perform


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


async def _inputs(record: CallRecord, context: CallContext, declared: Collection[str]) -> literals_pb2.LiteralMap:
    """The inputs of the stream: until it is closed, or until one message has all that are declared.

    That one message is the rule. It is handed on without a copy and without waiting for a caller that keeps its side
    of the stream open until it has an answer.
    """
    parts: list[literals_pb2.LiteralMap] = []
    while (data := await context.read()) is not grpc.aio.EOF:
        part = _part(record.read_more(data))
        if not parts and all(name in part.literals for name in declared):
            return part
        parts.append(part)
    return merged(parts)


def _part(request: pb.ExecuteTaskSyncRequest) -> literals_pb2.LiteralMap:
    part = request.WhichOneof("part")
    if part == "header":
        raise InvalidTaskError("the stream has a second header; one stream is one task", reason="REPEATED_HEADER")
    if part is None:
        raise InvalidTaskError(
            "a message of the stream has neither header nor inputs; send inputs or close it", reason="EMPTY_MESSAGE"
        )
    return request.inputs
