"""What the fake kubelet's containers write, served as a kubelet serves it to the API server."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

__all__ = ["Logs", "serving_logs"]

_TAIL = 2048


class Logs:
    """The lines of each container, with their times."""

    def __init__(self) -> None:
        self._lines: dict[str, list[tuple[datetime, str]]] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}

    def follow(self, key: str, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        self._lines[key] = []
        self._reading[key] = asyncio.create_task(self._read(key, process.stdout))

    async def ended(self, key: str) -> None:
        await asyncio.wait([self._reading[key]], timeout=5)

    async def _read(self, key: str, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            self._lines[key].append((datetime.now(UTC), line.decode(errors="replace").rstrip("\n")))

    def tail(self, key: str) -> str:
        return "\n".join(text for _, text in self._lines.get(key, ()))[-_TAIL:]

    def text(self, key: str, since: datetime | None, *, timestamps: bool) -> str | None:
        """The log as a kubelet gives it; None: there is none."""
        if key not in self._lines:
            return None
        lines = [(time, text) for time, text in self._lines[key] if since is None or time >= since]
        stamp = "%Y-%m-%dT%H:%M:%S.%f000Z "
        return "".join((time.strftime(stamp) if timestamps else "") + text + "\n" for time, text in lines)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        target = urlsplit(request.split(" ")[1])
        asked = parse_qs(target.query)
        since = None
        if "sinceSeconds" in asked:
            since = datetime.now(UTC) - timedelta(seconds=int(asked["sinceSeconds"][0]))
        key = target.path.removeprefix("/containerLogs/")
        found = self.text(key, since, timestamps=asked.get("timestamps") == ["true"])
        body = (found or "").encode()
        status = "404 Not Found" if found is None else "200 OK"
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def serving_logs(logs: Logs, folder: Path) -> AsyncIterator[int]:
    """The port on which the API server finds the logs."""
    server = await asyncio.start_server(logs.answer, "127.0.0.1", 0, ssl=_certified(folder))
    async with server:
        yield server.sockets[0].getsockname()[1]


def _certified(folder: Path) -> ssl.SSLContext:
    certificate, key = folder / "kubelet.crt", folder / "kubelet.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=fake-kubelet", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
