"""Handlers with a guard in front of them: whoever is not let in learns nothing, not even whether a message is sound."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message

from connectory.errors import InvalidTaskError
from connectory.rpc.failures import STATUS_CODES, abort, as_connector_error
from connectory.rpc.handlers import CallContext, MethodHandler
from workflow_runner.control.guarding import ControlGuard

__all__ = ["guarded"]

Answer = Callable[[Any, CallContext], Awaitable[Any]]


def guarded(handlers: Mapping[str, MethodHandler], guard: ControlGuard | None) -> Mapping[str, MethodHandler]:
    """The same handlers, by their full names, each behind the guard; None: as they are."""
    if guard is None:
        return handlers
    return {name: _guarded(name.rpartition("/")[2], handler, guard) for name, handler in handlers.items()}


def _guarded(method: str, handler: Any, guard: ControlGuard) -> MethodHandler:
    inner = handler.unary_stream if handler.response_streaming else handler.unary_unary
    make: Any = (
        grpc.unary_stream_rpc_method_handler if handler.response_streaming else grpc.unary_unary_rpc_method_handler
    )
    answer = _watched(method, handler.request_deserializer, inner, guard)
    made: MethodHandler = make(answer, None, handler.response_serializer)
    return made


def _watched(method: str, read: Callable[[bytes], Message], inner: Answer, guard: ControlGuard) -> Answer:
    async def handle(data: bytes, context: CallContext) -> Any:
        caller, request, code = None, None, "CANCELLED"
        try:
            try:
                caller = await guard.admit(context)
                request = _message(read, data)
                guard.allow(caller, method, request)
            except Exception as failure:
                await abort(context, as_connector_error(failure))
            answer = await inner(request, context)
            code = "OK"
            return answer
        except grpc.aio.AbortError:
            code = STATUS_CODES[_number(context.code())].name
            raise
        finally:
            guard.ended(caller, method, request, context, code)

    return handle


def _message(read: Callable[[bytes], Message], data: bytes) -> Message:
    try:
        return read(data)
    except DecodeError:
        raise InvalidTaskError("the request is not a valid protobuf message", reason="MALFORMED_MESSAGE") from None


def _number(code: Any) -> int:
    """gRPC gives a code as its number or as a member of its enumeration."""
    number: int = code.value[0] if isinstance(code, grpc.StatusCode) else code
    return number
