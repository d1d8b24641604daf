"""Handlers of the control API under all its names: each decodes, makes one call, encodes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, NoReturn

import grpc
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from connectory.errors import UnavailableError
from connectory.rpc.failures import abort
from connectory.rpc.handlers import CallContext, MethodHandler
from connectory.v1 import control_pb2
from workflow_runner.control.failures import wire_failure
from workflow_runner.control.names import SERVICES

__all__ = ["Method", "StreamMethod", "control_handlers"]

Method = Callable[[Any], Awaitable[Message]]
StreamMethod = Callable[[Any], AsyncIterator[Message]]

_log = logging.getLogger("connectory.runner.calls")


def control_handlers(
    methods: Mapping[str, Method], streams: Mapping[str, StreamMethod], draining: asyncio.Event
) -> dict[str, MethodHandler]:
    """A handler for every served method, under its full name; `methods` and `streams` are by "Service.Method".

    Streams end once `draining` is set.
    """
    handlers: dict[str, MethodHandler] = {}
    for served in SERVICES:
        described = control_pb2.DESCRIPTOR.services_by_name[served.source].methods_by_name
        for wire_name, meaning in served.methods.items():
            name = f"/{served.name}/{wire_name}"
            read = GetMessageClass(described[meaning].input_type).FromString
            key = f"{served.source}.{meaning}"
            if key in streams:
                handlers[name] = grpc.unary_stream_rpc_method_handler(
                    _stream(name, streams[key], draining), read, _bytes
                )
            elif key in methods:
                handlers[name] = grpc.unary_unary_rpc_method_handler(_unary(name, methods[key]), read, _bytes)
    return handlers


def _bytes(message: Message) -> bytes:
    return message.SerializeToString()


def _unary(name: str, method: Method) -> Callable[[Any, CallContext], Awaitable[Message]]:
    async def handle(request: Any, context: CallContext) -> Message:
        try:
            return await method(request)
        except Exception as failure:
            await _refuse(name, context, failure)

    return handle


def _stream(name: str, method: StreamMethod, draining: asyncio.Event) -> Callable[[Any, CallContext], Awaitable[None]]:
    async def answer_all(request: Any, context: CallContext) -> None:
        async for answer in method(request):
            await context.write(answer)

    async def handle(request: Any, context: CallContext) -> None:
        answering = asyncio.ensure_future(answer_all(request, context))
        stopping = asyncio.ensure_future(draining.wait())
        try:
            await asyncio.wait({answering, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            answered = answering.done()
            answering.cancel()
        try:
            if not answered:
                raise UnavailableError("the server is stopping; ask again")
            answering.result()
        except Exception as failure:
            await _refuse(name, context, failure)

    return handle


async def _refuse(name: str, context: CallContext, failure: Exception) -> NoReturn:
    error = wire_failure(failure)
    _log.debug("%s: %s", name, error)
    await abort(context, error)
