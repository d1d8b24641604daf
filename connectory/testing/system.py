"""An external system that runs jobs, speaks HTTP, and can be made to go wrong."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import h11

from connectory.testing.fault import Fault

__all__ = ["FakeJob", "FakeSystem"]

_PIECE = 65_536


@dataclass
class FakeJob:
    """A job of the fake system."""

    id: str
    label: str
    polls_left: int
    """How often it is still seen running before it is done."""
    state: str = "running"
    settings: Mapping[str, Any] = field(default_factory=dict)


class FakeSystem:
    """Runs jobs in memory at `url`, an address of this machine, while it is entered with `async with`.

    `POST /jobs` with a JSON object starts a job under its `label`; `GET /jobs/ID` and `GET /jobs?label=LABEL` tell
    `{"id", "label", "state"}` or a list of them; `DELETE /jobs/ID` ends it. A job is `running` for `polls` polls,
    then `done`. Each fault in `faults` is spent on one call, in their order. Override `answer` for another interface.
    """

    def __init__(self, *, polls: int = 2) -> None:
        self.jobs: dict[str, FakeJob] = {}
        self.created = 0
        """How many jobs it ever started."""
        self.faults: deque[Fault] = deque()
        self.url = ""
        self._polls = polls
        self._constant: Fault | None = None
        self._state = ""
        self._calls: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for call in list(self._calls):
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """Inside it, every call is answered 503."""
        self._constant = Fault(status=503)
        try:
            yield
        finally:
            self._constant = None

    @asynccontextmanager
    async def unknown_state(self, state: str = "MIGRATING_TO_TOMORROW") -> AsyncIterator[None]:
        """Inside it, every job is reported in this state."""
        self._state = state
        try:
            yield
        finally:
            self._state = ""

    def vanish(self, job_id: str) -> None:
        """Forget a job, as systems do that keep nothing."""
        self.jobs.pop(job_id, None)

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, Any]:
        """The status of a call, and what to answer as JSON."""
        parts = urlsplit(target)
        job_id = parts.path.removeprefix("/jobs").strip("/")
        match method, job_id:
            case "POST", "":
                return 201, self._told(self._start(json.loads(body or b"{}")))
            case "GET", "":
                labels = parse_qs(parts.query).get("label", [])
                return 200, [self._told(job) for job in self.jobs.values() if not labels or job.label in labels]
            case (("GET" | "DELETE"), _) if job_id not in self.jobs:
                return 404, {"error": f"there is no job {job_id}"}
            case "GET", _:
                return 200, self._told(self._polled(self.jobs[job_id]))
            case "DELETE", _:
                return 200, self._told(self.jobs.pop(job_id))
        return 405, {"error": f"{method} is not possible"}

    def _start(self, settings: Mapping[str, Any]) -> FakeJob:
        self.created += 1
        job_id = f"job-{self.created:012d}"
        self.jobs[job_id] = FakeJob(job_id, str(settings.get("label", "")), self._polls, settings=settings)
        return self.jobs[job_id]

    def _polled(self, job: FakeJob) -> FakeJob:
        if not self._state:
            job.polls_left -= 1
            job.state = "running" if job.polls_left >= 0 else "done"
        return job

    def _told(self, job: FakeJob) -> dict[str, Any]:
        return {**asdict(job), "state": self._state or job.state}

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.current_task()
        assert call is not None
        self._calls.add(call)
        try:
            await self._called(reader, writer)
        finally:
            writer.close()
            self._calls.discard(call)

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One call; each connection serves one."""
        connection = h11.Connection(h11.SERVER)
        method, target, body = "", "", b""
        while not isinstance(event := connection.next_event(), h11.EndOfMessage | h11.ConnectionClosed):
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(_PIECE))
            elif isinstance(event, h11.Request):
                method, target = event.method.decode(), event.target.decode()
            elif isinstance(event, h11.Data):
                body += event.data
        if not method:
            return
        fault = self._constant or (self.faults.popleft() if self.faults else Fault())
        await asyncio.sleep(fault.delay)
        status, told = (fault.status, {"error": "as planned"}) if fault.status else self.answer(method, target, body)
        if not fault.lost:
            writer.write(_reply(connection, status, json.dumps(told).encode(), fault.retry_after))
            await writer.drain()


def _reply(connection: h11.Connection, status: int, data: bytes, retry_after: float | None) -> bytes:
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(data))), ("Connection", "close")]
    if retry_after is not None:
        headers.append(("Retry-After", f"{retry_after:g}"))
    events = (h11.Response(status_code=status, headers=headers), h11.Data(data=data), h11.EndOfMessage())
    return b"".join(connection.send(event) or b"" for event in events)
