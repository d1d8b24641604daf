"""How a job's log is read: a part of it, its newest lines, or all that still comes until the job has ended.

Connectors tell what there is. To follow a log is to read on from the last token, and to ask how the job stands when
nothing new comes; so the log of every connector that has one can be followed.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Any, Final, Protocol

from connectory.connector.contexts import Contexts
from connectory.connector.contract import LogLine, LogPage, LogRequest
from connectory.connector.leases import ENDED
from connectory.connector.operations import LogStream
from connectory.connector.registry import Route
from connectory.connector.shared_polls import SharedPolls, asked_of
from connectory.errors import ConnectorError, InvalidTaskError, NotFoundError, UnavailableError
from connectory.v1 import connector_pb2 as pb

__all__ = ["MOST_NEWEST", "LogReading"]

MOST_NEWEST: Final = 10_000
"""So many of the newest lines may be asked for."""
_NEWEST_BYTES: Final = 8 * 1024 * 1024
"""The newest lines are as many as were asked for, or as take about so much."""
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 3.0
"""Seconds between two looks at a log that stays as it is; the pause doubles up to here."""


class _Reads(Protocol):
    """Reads a job's log once."""

    def __call__(self, request: LogRequest) -> AsyncGenerator[LogPage]: ...


class LogReading:
    """Reads logs. What is followed ends as UNAVAILABLE with `stop`, and goes on elsewhere by its token."""

    def __init__(self, contexts: Contexts, polls: SharedPolls) -> None:
        self._contexts = contexts
        self._polls = polls
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End what is followed."""
        self._stopping.set()

    async def pages(
        self, route: Route, stream: LogStream, request: pb.GetTaskLogsRequest, handle: bytes, deadline: datetime | None
    ) -> AsyncGenerator[LogPage]:
        """What the request asks for, each page when the one before it was taken."""
        if request.tail > MOST_NEWEST:
            text = f"{request.tail} are more than the {MOST_NEWEST} newest lines that may be asked for"
            raise InvalidTaskError(text, fields={"tail": text})
        job: Any = route.registration.codec.decode(route.label, handle)[0]
        context = self._contexts.of_job(route, deadline, handle=handle)

        def read(request: LogRequest) -> AsyncGenerator[LogPage]:
            return stream(job, request, context)

        token, left = request.token, request.lines or None
        if request.tail:
            newest = await _newest(read, token, request.tail)
            if newest.lines:
                yield LogPage(lines=newest.lines[:left], token=newest.token)
                left = _less(left, newest)
            token = newest.token
            if not request.follow:
                return
        pause, has_news = 0.0, False
        while left is None or left > 0:
            ended: bool | ConnectorError = not request.follow
            if request.follow and not has_news:
                ended = await self._ended(route, request, handle, deadline)
            has_news = False
            async with aclosing(read(LogRequest(lines=left, token=token))) as found:
                async for page in found:
                    yield page
                    token, left = page.token, _less(left, page)
                    has_news, ended = has_news or bool(page.lines), ended or not token
            if isinstance(ended, ConnectorError):
                raise ended
            if ended:
                return
            pause = _FIRST_PAUSE if has_news else min(max(2 * pause, _FIRST_PAUSE), _LONGEST_PAUSE)
            await self._wait(pause)

    async def _ended(
        self, route: Route, request: pb.GetTaskLogsRequest, handle: bytes, deadline: datetime | None
    ) -> bool | ConnectorError:
        """Whether nothing more will come, or why that will never be known. A job that is gone has ended."""
        asking = pb.GetTaskRequest(
            task_type=request.task_type, task_category=request.task_category, resource_meta=request.resource_meta
        )
        try:
            answer = await self._polls.get(asked_of(route, asking), route, asking, handle, deadline)
        except NotFoundError:
            return True
        except ConnectorError as error:
            return False if error.retryable else error
        return answer.resource.phase in ENDED

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
        raise UnavailableError("the server stops; follow the log at another one by its token", reason="DRAINING")


async def _newest(read: _Reads, token: str, count: int) -> LogPage:
    """The last so many lines after the token; no more than these are kept while the log is read."""
    lines: deque[LogLine] = deque()
    size = 0
    async with aclosing(read(LogRequest(token=token, newest=count))) as found:
        async for page in found:
            token = page.token
            for line in page.lines:
                lines.append(line)
                size += len(line.message)
                while len(lines) > count or (size > _NEWEST_BYTES and len(lines) > 1):
                    size -= len(lines.popleft().message)
    return LogPage(lines=list(lines), token=token)


def _less(left: int | None, page: LogPage) -> int | None:
    return None if left is None else max(0, left - len(page.lines))
