"""What all clients of this project's services are: one channel, one token, errors of one tree."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType
from typing import Any, Self

import grpc.aio

from connectory.client.channel import DEFAULT_MESSAGE_BYTES, ClientTls, open_channel
from connectory.client.failures import error_of
from connectory.client.tokens import BearerToken, metadata_for

__all__ = ["ServiceClient", "translated"]


class ServiceClient:
    """Calls a service at `unix:/path` or `host:port`.

    Every method raises only errors of the tree in `connectory.errors`; `timeout` is in seconds. Every call brings the
    token; a `SettingsError` says when others could read it on the way. `inside` says that the service is a part of this
    process, so that its address means nothing to others. Used from one event loop; close it, or use it as a context
    manager.
    """

    def __init__(
        self,
        target: str,
        *,
        tls: ClientTls | None = None,
        token: BearerToken | None = None,
        max_message_bytes: int = DEFAULT_MESSAGE_BYTES,
        timeout: float = 60.0,
        inside: bool = False,
    ) -> None:
        self.target = target
        self.inside = inside
        self.tls = tls
        self._metadata_now = metadata_for(target, token, tls=tls is not None)
        self._max_message_bytes = max_message_bytes
        self._timeout = timeout

    @cached_property
    def _channel(self) -> grpc.aio.Channel:
        return open_channel(self.target, tls=self.tls, max_message_bytes=self._max_message_bytes)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the calls that still run, and the connection."""
        if "_channel" in self.__dict__:
            await self._channel.close()

    async def _answer(self, method: Any, request: Any, timeout: float | None = None) -> Any:
        """One answer to one request."""
        with translated():
            wait = self._timeout if timeout is None else timeout
            return await method(request, timeout=wait, metadata=self._metadata_now())


@contextmanager
def translated() -> Iterator[None]:
    """Turn what a call ends with into the error that the service meant."""
    try:
        yield
    except grpc.aio.AioRpcError as failure:
        raise error_of(failure) from failure
