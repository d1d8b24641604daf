"""The HTTP side of the data proxy: PUT and GET at signed addresses, and nothing else."""

import asyncio
import base64
import contextlib
import hashlib
import logging
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import IO

import h11

from connectory.errors import ConnectoryError, InvalidTaskError, PermissionDeniedError
from connectory.storage import ObjectNotFoundError, Storage
from workflow_runner.control.data.links import Grant, Links

__all__ = ["DataEndpoint"]

_CHUNK = 1 << 16
_PATIENCE = 60.0
"""Seconds without a byte after which a connection is given up."""
_log = logging.getLogger("connectory.runner.data")


class TooLargeError(ConnectoryError):
    """More was sent than may be."""


class ChangedError(ConnectoryError):
    """There is other content already."""


_STATUSES: tuple[tuple[type[ConnectoryError], int], ...] = (
    (PermissionDeniedError, 403),
    (ObjectNotFoundError, 404),
    (ChangedError, 409),
    (TooLargeError, 413),
    (InvalidTaskError, 400),
)


class DataEndpoint:
    """Answers at signed addresses. One connection is served by one task."""

    def __init__(self, links: Links, storage: Storage, *, most_bytes: int) -> None:
        self._links = links
        self._storage = storage
        self._most_bytes = most_bytes
        self._connections: set[asyncio.Task[object]] = set()

    async def close(self) -> None:
        """End every connection."""
        connections = [*self._connections]
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection until it ends."""
        wire, task = _Wire(reader, writer), asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            while await wire.next_request(self._answer):
                pass
        except (ConnectionError, TimeoutError, h11.ProtocolError) as error:
            _log.debug("a connection ended: %s", error)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    async def _answer(self, request: h11.Request, wire: "_Wire") -> None:
        try:
            action = request.method.decode()
            grant = self._links.read(request.target.decode(errors="replace"), action)
            if action == "PUT":
                await self._receive(request, grant, wire)
                await wire.respond(200)
            else:
                await self._send(grant, wire)
        except ConnectoryError as error:
            status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
            if status == 500:
                _log.error("%s", error)
            await wire.respond(status, f"{error}\n".encode())

    async def _receive(self, request: h11.Request, grant: Grant, wire: "_Wire") -> None:
        with tempfile.NamedTemporaryFile(prefix="connectory-upload-") as file:
            digest, size = hashlib.md5(usedforsecurity=False), 0
            async for chunk in wire.body():
                size += len(chunk)
                if size > self._most_bytes:
                    raise TooLargeError(f"the content has more than the {self._most_bytes} bytes that are allowed")
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            for wanted, where in ((grant.md5, "the upload was asked for with"), (_md5_of(request), "Content-MD5 has")):
                if wanted and wanted != digest.digest():
                    raise InvalidTaskError(f"the content is not the one whose MD5 {where}; send it again")
            await asyncio.to_thread(self._keep, Path(file.name), grant.url, digest.digest())

    def _keep(self, path: Path, url: str, digest: bytes) -> None:
        if self._storage.exists(url):
            if hashlib.md5(self._storage.read(url), usedforsecurity=False).digest() == digest:
                return
            raise ChangedError(f"{url} has other content already; ask for another place")
        self._storage.upload(path, url)

    async def _send(self, grant: Grant, wire: "_Wire") -> None:
        with tempfile.TemporaryDirectory(prefix="connectory-download-") as folder:
            path = await asyncio.to_thread(self._storage.download, grant.url, Path(folder) / "content")
            with path.open("rb") as file:
                await wire.respond_file(file, path.stat().st_size)


class _Wire:
    """One connection, as requests and responses."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._state = h11.Connection(h11.SERVER)

    async def next_request(self, answer: Callable[[h11.Request, "_Wire"], Awaitable[None]]) -> bool:
        """Serve one request; False: there is no other one on this connection."""
        event = await self._event()
        if not isinstance(event, h11.Request):
            return False
        await answer(event, self)
        if self._state.our_state is h11.DONE and self._state.their_state is h11.DONE:
            self._state.start_next_cycle()
            return True
        return False

    async def body(self) -> AsyncIterator[bytes]:
        """The content of the request."""
        if self._state.they_are_waiting_for_100_continue:
            await self._write(h11.InformationalResponse(status_code=100, headers=[]))
        while isinstance(event := await self._event(), h11.Data):
            yield bytes(event.data)

    async def respond(self, status: int, text: bytes = b"") -> None:
        """Answer with a text; the connection ends when the request was not read to its end."""
        headers = [("Content-Length", str(len(text))), ("Content-Type", "text/plain; charset=utf-8")]
        if self._state.their_state is h11.SEND_BODY:
            headers.append(("Connection", "close"))
        await self._write(h11.Response(status_code=status, headers=headers))
        await self._write(h11.Data(data=text))
        await self._write(h11.EndOfMessage())

    async def respond_file(self, file: IO[bytes], size: int) -> None:
        """Answer with the content of a file."""
        async for _ in self.body():
            continue
        headers = [("Content-Length", str(size)), ("Content-Type", "application/octet-stream")]
        await self._write(h11.Response(status_code=200, headers=headers))
        while chunk := file.read(_CHUNK):
            await self._write(h11.Data(data=chunk))
        await self._write(h11.EndOfMessage())

    async def _event(self) -> h11.Event | None:
        """What comes next; None when nothing can come before there is an answer."""
        while (event := self._state.next_event()) is h11.NEED_DATA:
            async with asyncio.timeout(_PATIENCE):
                self._state.receive_data(await self._reader.read(_CHUNK))
        return event if isinstance(event, h11.Event) else None

    async def _write(self, event: h11.Event) -> None:
        data = self._state.send(event)
        if data:
            self._writer.write(data)
            async with asyncio.timeout(_PATIENCE):
                await self._writer.drain()


def _md5_of(request: h11.Request) -> bytes:
    for name, value in request.headers:
        if name == b"content-md5":
            try:
                return base64.b64decode(value, validate=True)
            except ValueError:
                raise InvalidTaskError("Content-MD5 is not in base64") from None
    return b""
