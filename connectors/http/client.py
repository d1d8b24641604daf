"""Sending requests with httpx. Import it on first use only: httpx takes a while to load."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from connectors.http.answers import Answer, Limits
from connectors.http.request import REDIRECTS, Request, redirected
from connectory.errors import (
    AmbiguousError,
    ConnectorError,
    DeadlineExceededError,
    InvalidTaskError,
    UnavailableError,
    UserError,
)
from connectory.web import HostPolicy
from connectory.web.client import open_client

__all__ = ["HttpClient"]

_CHUNK: Final = 256 * 1024


class HttpClient:
    """A pool of connections. It keeps no cookies and follows no redirect but those it is told to."""

    def __init__(self, policy: HostPolicy) -> None:
        self._client = open_client(policy)

    async def send(self, request: Request, limits: Limits, *, into: Path | None = None) -> Answer:
        """Exchange the request for its answer, after at most `limits.redirects` redirects.

        `into`: the file that a successful body is written to, whatever its size. Raises errors of the tree only.
        """
        progress = _Progress(request)
        with _translated(progress, limits):
            async with asyncio.timeout(limits.timeout):
                for _ in range(limits.redirects):
                    answer = await self._exchange(progress, limits, into)
                    location = answer.headers.get("location")
                    if answer.status not in REDIRECTS or location is None:
                        return answer
                    progress.request = redirected(progress.request, answer.status, location)
                return await self._exchange(progress, limits, into)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def _exchange(self, progress: "_Progress", limits: Limits, into: Path | None) -> Answer:
        request = progress.request
        progress.sent = False
        built = self._client.build_request(
            request.method,
            request.url,
            headers=_headers(request),
            content=_chunks(request.file) if request.file else request.content or None,
            extensions={"trace": progress.trace},
        )
        response = await self._client.send(built, stream=True)
        try:
            return await _read(response, request, limits, into)
        finally:
            await response.aclose()


class _Progress:
    """Which request is on its way, and whether any of it was sent."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.sent = False

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        self.sent = self.sent or ".send_request" in event


def _headers(request: Request) -> dict[str, str]:
    if request.file is None:
        return dict(request.headers)
    return {**request.headers, "content-length": str(request.file.stat().st_size)}


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as source:
        while chunk := await asyncio.to_thread(source.read, _CHUNK):
            yield chunk


async def _read(response: httpx.Response, request: Request, limits: Limits, into: Path | None) -> Answer:
    headers = dict(response.headers.items())
    encoding = response.encoding or "utf-8"
    if into is not None and response.is_success:
        with await asyncio.to_thread(into.open, "wb") as sink:
            async for chunk in response.aiter_bytes(_CHUNK):
                await asyncio.to_thread(sink.write, chunk)
        return Answer(status=response.status_code, headers=headers, content=b"", file=into, encoding=encoding)
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > limits.max_bytes:
            text = f"{request.shown}: the answer is larger than {limits.max_bytes} bytes"
            remedy = "raise custom.max_response_bytes, or declare the output as a File"
            raise UserError(f"{text}; {remedy}", reason="RESPONSE_TOO_LARGE")
    return Answer(status=response.status_code, headers=headers, content=bytes(content), encoding=encoding)


@contextmanager
def _translated(progress: _Progress, limits: Limits) -> Iterator[None]:
    try:
        yield
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
        raise InvalidTaskError(f"{progress.request.shown} cannot be sent: {error}") from error
    except httpx.DecodingError as error:
        text = f"{progress.request.shown}: the answer's encoding cannot be undone: {error}"
        raise UserError(text, reason="BAD_ENCODING") from error
    except (TimeoutError, httpx.TimeoutException) as error:
        raise _lost(progress, f"did not answer within {limits.timeout:g} s", DeadlineExceededError) from error
    except httpx.TransportError as error:
        if _is_certificate_error(error):
            text = f"{progress.request.shown}: the server's certificate is not trusted: {error}"
            raise UserError(text, reason="UNTRUSTED_CERTIFICATE") from error
        raise _lost(progress, f"failed: {str(error) or type(error).__name__}", UnavailableError) from error


def _lost(progress: _Progress, what: str, kind: type[ConnectorError]) -> ConnectorError:
    """The error for an answer that never came: only a request that may be repeated invites to ask again."""
    request = progress.request
    if progress.sent and not request.is_repeatable:
        text = f"{request.shown} {what} after it was sent, so what it did is unknown; a request with an Idempotency-Key"
        return AmbiguousError(f"{text} header would be tried again")
    return kind(f"{request.shown} {what}")


def _is_certificate_error(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
