"""Watching jobs of a connector service: one stream for as many jobs as anybody in this process wants to hear of."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from time import monotonic
from typing import Any, Final

import grpc.aio

from connectory.client.failures import NO_ANSWER, error_of
from connectory.client.watched_task import WatchedTask
from connectory.errors import (
    ConnectorError,
    InternalError,
    SettingsError,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedError,
)
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import watch_pb2

__all__ = ["TaskWatch"]

_log = logging.getLogger("connectory.client")

_TOGETHER: Final = 500
_FIRST_RETRY: Final = 0.1
_SLOWEST_RETRY: Final = 5.0
_LOST_AFTER: Final = 5.0
"""Seconds without a stream after which those who watch are told that they hear nothing."""
_SILENT: Final = 60.0
"""Seconds without any message after which a stream is taken for broken; servers say every 20 that nothing is new."""
_IDLE: Final = 10.0
"""Seconds for which a stream stays open when nobody watches anything."""
_NOT_OFFERED_FOR: Final = 300.0
"""Seconds after which a service that had no stream is asked for one again."""


class TaskWatch:
    """The stream to one service, opened when something is watched. It is opened anew when it breaks.

    `open_stream` calls the service's method; `get` asks with GetTask.
    """

    def __init__(
        self, open_stream: Callable[[], Any], get: Callable[[pb.GetTaskRequest], Awaitable[pb.GetTaskResponse]]
    ) -> None:
        self._open_stream = open_stream
        self._get = get
        self._keys = count(1)
        self._tasks: dict[bytes, WatchedTask] = {}
        self._wanted: dict[bytes, WatchedTask] = {}
        self._unwanted: list[bytes] = []
        self._something = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._not_offered: UnsupportedError | None = None
        self._offered_again = 0.0
        self._heard_at = 0.0

    def watch(self, request: pb.GetTaskRequest, on_news: Callable[[WatchedTask], None] | None = None) -> WatchedTask:
        """Watch a job. Where jobs cannot be watched, it has ended with an `UnsupportedError` already."""
        task = WatchedTask(request, str(next(self._keys)).encode(), on_news, self._forget, self._get)
        if self._not_offered is not None and monotonic() < self._offered_again:
            task.error, task.ended = self._not_offered, True
            return task
        self._tasks[task.key] = self._wanted[task.key] = task
        self._something.set()
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._running is None or self._running.done() or self._running.cancelling():
            self._running = asyncio.create_task(self._run(), name="watch of jobs")
        return task

    async def close(self) -> None:
        """Watch nothing any more."""
        if self._idle is not None:
            self._idle.cancel()
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    def _forget(self, task: WatchedTask) -> None:
        self._tasks.pop(task.key, None)
        if self._wanted.pop(task.key, None) is None:
            self._unwanted.append(task.key)
            self._something.set()
        self._rest()

    def _rest(self) -> None:
        if not self._tasks and self._idle is None and self._running is not None:
            self._idle = asyncio.get_running_loop().call_later(_IDLE, self._stop)

    def _stop(self) -> None:
        self._idle = None
        if not self._tasks and self._running is not None:
            self._running.cancel()

    async def _run(self) -> None:
        silent_since, wait = monotonic(), _FIRST_RETRY
        while True:
            heard_before = monotonic()
            error = await self._streamed()
            if isinstance(error, UnsupportedError):
                self._give_up(error)
                return
            if self._heard_at > heard_before:
                silent_since, wait = self._heard_at, _FIRST_RETRY
            if not isinstance(error, UnavailableError) or monotonic() - silent_since > _LOST_AFTER:
                for task in list(self._tasks.values()):
                    if type(task.error) is not type(error):
                        task.fail(error, ended=False)
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))
            wait = min(wait * 2.0, _SLOWEST_RETRY)

    async def _streamed(self) -> ConnectorError:
        """One stream from its beginning to its end; why it has ended."""
        self._unwanted.clear()
        self._wanted = dict(self._tasks)
        self._something.set()
        try:
            call = self._open_stream()
        except SettingsError as error:
            return UnauthenticatedError(str(error))
        sending = asyncio.create_task(self._send(call))
        try:
            while (response := await _next(call)) is not grpc.aio.EOF:
                self._heard_at = monotonic()
                self._read(response)
        except TimeoutError:
            return UnavailableError(f"nothing was heard of watched jobs for {_SILENT:.0f} s", reason=NO_ANSWER)
        except grpc.aio.AioRpcError as failure:
            return error_of(failure)
        except Exception as error:
            _log.exception("the stream on which jobs are watched is opened anew")
            return InternalError(f"what the service tells of jobs cannot be used ({type(error).__name__})")
        finally:
            sending.cancel()
            await asyncio.wait([sending])
            call.cancel()
        return UnavailableError("the service ended the stream on which jobs are watched", reason=NO_ANSWER)

    async def _send(self, call: Any) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            for request in self._requests():
                await call.write(request)

    def _requests(self) -> Iterator[watch_pb2.WatchTasksRequest]:
        while self._unwanted or self._wanted:
            request = watch_pb2.WatchTasksRequest(unsubscribe=self._unwanted)
            self._unwanted.clear()
            for key in list(self._wanted)[:_TOGETHER]:
                task = self._wanted.pop(key)
                request.subscribe.add(key=key).task.CopyFrom(task.request)
            yield request

    def _read(self, response: watch_pb2.WatchTasksResponse) -> None:
        for change in response.changes:
            task = self._tasks.get(change.key)
            if task is not None:
                if change.ended:
                    del self._tasks[change.key]
                task.learn(change)
        self._rest()

    def _give_up(self, error: UnsupportedError) -> None:
        self._not_offered, self._offered_again = error, monotonic() + _NOT_OFFERED_FOR
        tasks, self._tasks = list(self._tasks.values()), {}
        self._wanted.clear()
        for task in tasks:
            task.fail(error, ended=True)


async def _next(call: Any) -> Any:
    async with asyncio.timeout(_SILENT):
        return await call.read()
