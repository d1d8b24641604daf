"""Sending requests for connectors: the client, loaded on first use, and the threads that move files."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from connectors.http.answers import Answer, Limits
from connectors.http.request import Request, check_url
from connectory.errors import PermissionDeniedError
from connectory.web import SETTING, HostPolicy, PerLoop

if TYPE_CHECKING:
    from connectors.http.client import HttpClient

__all__ = ["Sender", "bounded"]

T = TypeVar("T")


class Sender:
    """Sends requests within one event loop, and reads and writes files beside it."""

    def __init__(self, policy: HostPolicy | None = None) -> None:
        self._policy = policy if policy is not None else HostPolicy.from_environment(os.environ)
        self._client = PerLoop(lambda: _new_client(self._policy))
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="http-files")

    async def send(self, request: Request, limits: Limits, *, into: Path | None = None) -> Answer:
        """The request's answer; see `HttpClient.send`."""
        check_url(request.url, request.shown)
        client = await self._client.get()
        return await client.send(request, limits, into=into)

    def check_source(self, url: str) -> None:
        """Raise a `PermissionDeniedError` for a file that would be read from a web server past the host policy."""
        if self._policy.is_restricted and url.lower().startswith(("http://", "https://")):
            text = f"custom.file: {url} is on a web server, and {SETTING} holds for requests of tasks only"
            raise PermissionDeniedError(f"{text}; copy the file into an object store", reason="HOST_NOT_ALLOWED")

    async def in_thread(self, call: Callable[[], T]) -> T:
        """Run what blocks on one of the sender's own threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def aclose(self) -> None:
        """Close the connections and end the threads."""
        await self._client.aclose()
        self._threads.shutdown(wait=False)


def bounded(timeout: float, deadline: datetime | None) -> float:
    """The timeout, or what is left until the caller's deadline when that is less."""
    if deadline is None:
        return timeout
    return max(0.001, min(timeout, (deadline - datetime.now(UTC)).total_seconds()))


def _new_client(policy: HostPolicy) -> "HttpClient":
    from connectors.http.client import HttpClient  # noqa: PLC0415 - httpx loads when the first request is sent

    return HttpClient(policy)
