"""The calls of one running child, from the server's side."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any, Final

import grpc
import grpc.aio

from connector_server.isolation.calls import CALLS, SERVICE, UNLIMITED, metadata_of
from connectory.client.failures import NO_ANSWER, error_of
from connectory.connector.contract import JobContext
from connectory.errors import ConnectorError, DeadlineExceededError, UnavailableError
from connectory.secrets import Secrets

__all__ = ["Link", "LostError"]

_NEVER: Final = 2**31 - 1
_LAST_WORDS: Final = 2.0
_SOON: Final = timedelta(seconds=2)
"""What a caller is told to wait; the process should be there again by then, unless it keeps ending."""


class LostError(UnavailableError):
    """The child ended, or hung up, before it answered; what it did cannot be known."""

    default_reason = "CONNECTOR_CRASHED"


class Link:
    """Calls a child at its socket."""

    def __init__(self, socket: str) -> None:
        options = [("grpc.default_authority", "localhost"), ("grpc.client_idle_timeout_ms", _NEVER)]
        self._channel = grpc.aio.insecure_channel(f"unix:{socket}", options=[*UNLIMITED, *options])
        self._methods = {operation: self._method(operation) for operation in CALLS}
        self._secrets: dict[str, Secrets] = {}
        self._names = count(1)

    def secrets_of(self, call: str) -> Secrets | None:
        """What a call may read; None once it has ended."""
        return self._secrets.get(call)

    async def ask(
        self, operation: str, request: Any, context: JobContext | None = None, *, timeout: float | None = None
    ) -> Any:
        """One answer; a `LostError` when the child ends first."""
        name = self._begin(context)
        try:
            with _translated():
                return await self._methods[operation](request, metadata=_metadata(name, context), timeout=timeout)
        finally:
            self._secrets.pop(name, None)

    async def stream(self, operation: str, request: Any, context: JobContext) -> AsyncIterator[Any]:
        """Many answers; a `LostError` when the child ends before the last."""
        name = self._begin(context)
        call = self._methods[operation](request, metadata=_metadata(name, context))
        try:
            with _translated():
                async for answer in call:
                    yield answer
        finally:
            call.cancel()
            self._secrets.pop(name, None)

    async def aclose(self) -> None:
        """Hang up. Calls whose answers are on the way may still get them."""
        await self._channel.close(_LAST_WORDS)

    def _begin(self, context: JobContext | None) -> str:
        name = str(next(self._names))
        if context is not None:
            self._secrets[name] = context.secrets
        return name

    def _method(self, operation: str) -> Any:
        request, answer = CALLS[operation]
        kind = self._channel.unary_stream if operation == "Logs" else self._channel.unary_unary
        return kind(
            f"/{SERVICE}/{operation}",
            request_serializer=request.SerializeToString,
            response_deserializer=answer.FromString,
        )


def _metadata(name: str, context: JobContext | None) -> list[tuple[str, str]]:
    tracing = sys.modules.get("connector_server.tracing")
    trace = {} if tracing is None else tracing.trace_headers()
    return metadata_of(name, None if context is None else context.deadline, trace)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except grpc.aio.AioRpcError as failure:
        raise _meaning(failure) from failure
    except asyncio.CancelledError:
        if _is_wanted():
            raise
        raise _lost() from None


def _meaning(failure: grpc.aio.AioRpcError) -> ConnectorError:
    error = error_of(failure)
    return _lost() if error.reason == NO_ANSWER and not isinstance(error, DeadlineExceededError) else error


def _lost() -> LostError:
    return LostError("the connector's process ended before it answered; it is being started again", retry_after=_SOON)


def _is_wanted() -> bool:
    """Whether somebody asked the present task to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
