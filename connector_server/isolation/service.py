"""The calls of a connector's process as gRPC handlers."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import grpc
from google.protobuf.message import Message

from connector_server.admission import Admission
from connector_server.calls import CallRecord, stream_call, unary_call
from connector_server.isolation.calls import CALLS, SERVICE, Call, call_of
from connector_server.isolation.work import Work
from connector_server.measurements import Measurements
from connector_server.methods import CallTracer, Method
from connectory.connector.subjects import Subject, subject_of_task
from connectory.rpc.handlers import CallContext, MethodHandler

__all__ = ["OFTEN", "work_handlers"]

OFTEN: Final = tuple(f"/{SERVICE}/{operation}" for operation in ("Create", "Get", "Delete", "Execute"))
"""The full names of the calls that most are of."""


def work_handlers(work: Work, tracer: CallTracer | None = None) -> dict[str, MethodHandler]:
    """A handler for every call, under its full name."""
    unseen = Measurements(CALLS, ())
    perform: Mapping[str, Callable[[Any, Call], Awaitable[Message]]] = {
        "Create": work.create,
        "Find": work.find,
        "Execute": work.execute,
        "Get": work.get,
        "Delete": work.delete,
        "Metrics": work.metrics,
        "Check": work.check,
        "Ping": work.ping,
    }
    handlers: dict[str, MethodHandler] = {
        _name(operation): grpc.unary_unary_rpc_method_handler(
            unary_call(_method(operation, unseen, tracer), _performed_by(function))
        )
        for operation, function in perform.items()
    }
    handlers[_name("Logs")] = grpc.unary_stream_rpc_method_handler(
        stream_call(_method("Logs", unseen, tracer), _streamed_by(work))
    )
    return handlers


def _name(operation: str) -> str:
    return f"/{SERVICE}/{operation}"


def _method(operation: str, measurements: Measurements, tracer: CallTracer | None) -> Method:
    return Method(
        name=_name(operation),
        operation=operation,
        request_class=CALLS[operation][0],
        subject=_subject,
        series=measurements.of(operation),
        admission=Admission.unbounded(),
        tracer=None if operation in ("Ping", "Check") else tracer,
    )


def _subject(request: Any) -> Subject | None:
    if hasattr(request, "template"):
        return subject_of_task(request)
    category = getattr(request, "task_category", None)
    return None if category is None else (category.name, category.version)


def _performed_by(function: Callable[[Any, Call], Awaitable[Message]]) -> Callable[..., Awaitable[Message]]:
    def perform(request: Any, _data: bytes, context: CallContext) -> Awaitable[Message]:
        return function(request, call_of(context))

    return perform


def _streamed_by(work: Work) -> Callable[[CallRecord, Any, CallContext], Awaitable[None]]:
    async def perform(record: CallRecord, data: Any, context: CallContext) -> None:
        async for answer in work.logs(record.read(data), call_of(context)):
            await context.write(answer.SerializeToString())

    return perform
