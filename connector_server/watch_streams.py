"""One stream of the watch service: what its caller watches, and what it has not been told yet."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeAlias

from connector_server.admission import OVERLOADED
from connectory.connector.status import to_status
from connectory.connector.watching.hub import Watching
from connectory.connector.watching.jobs import WatchedJob
from connectory.errors import ConnectorError, InvalidTaskError, RateLimitedError, UserError
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import watch_pb2

__all__ = ["LARGEST_CHANGE", "MOST_SUBSCRIPTIONS", "MOST_TOGETHER", "WatchRoom", "WatchStream"]

MOST_SUBSCRIPTIONS: Final = 50_000
"""So many jobs may be watched on one stream."""
MOST_TOGETHER: Final = 200_000
"""So many may be watched on all streams of a process together; each takes about 3 kB."""
LARGEST_CHANGE: Final = 1024 * 1024
"""A state that takes more bytes is asked for with GetTask; what is told together takes about as much at most."""
_LARGEST_KEY: Final = 1024
_LARGEST_HANDLE: Final = 64 * 1024
_MOST_IN_ONE: Final = 1000
_MOST_REFUSED: Final = 1000
_AT_ONCE: Final = 100
_AGAIN: Final = timedelta(seconds=30)

Allow: TypeAlias = Callable[[pb.GetTaskRequest], None]
"""Raises a `ConnectorError` when the stream's caller may not ask about this job."""


class WatchRoom:
    """How many jobs are watched on all streams of a process together."""

    __slots__ = ("most", "taken")

    def __init__(self, most: int = MOST_TOGETHER) -> None:
        self.most = most
        self.taken = 0


class _Subscription:
    """A job under the name that the caller gave it."""

    __slots__ = ("_stream", "job", "key")

    def __init__(self, stream: "WatchStream", key: bytes) -> None:
        self.key = key
        self.job: WatchedJob | None = None
        self._stream = stream

    def news(self, job: WatchedJob) -> None:
        self.job = job
        self._stream.note(self)


class WatchStream:
    """Subscriptions of one caller. What is new is kept once for each job, however slowly the caller reads."""

    def __init__(
        self, watching: Watching, allow: Allow, largest: int = LARGEST_CHANGE, room: WatchRoom | None = None
    ) -> None:
        self._watching = watching
        self._room = WatchRoom() if room is None else room
        self._allow = allow
        self._largest = largest
        self._subscriptions: dict[bytes, _Subscription] = {}
        self._news: dict[bytes, _Subscription | ConnectorError] = {}
        self._refused = 0
        self._is_finished = False
        self._has_news = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()

    async def take(self, request: watch_pb2.WatchTasksRequest) -> None:
        """Do what the caller wants. Waits while the caller does not read what it was refused."""
        for key in request.unsubscribe:
            self._forget(key)
        for number, wanted in enumerate(request.subscribe, 1):
            await self._has_room.wait()
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)  # others have their turn
            task = pb.GetTaskRequest()
            task.CopyFrom(wanted.task)  # a part of a message keeps all of it in memory
            self._subscribe(wanted.key or task.resource_meta, task)

    def finish(self) -> None:
        """The caller wants nothing more than what it wants already."""
        self._is_finished = True
        self._has_news.set()

    async def changes(self) -> watch_pb2.WatchTasksResponse | None:
        """What is new; waits until something is. None: there is nothing more to tell, ever."""
        while not self._news:
            if self._is_finished and not self._subscriptions:
                return None
            self._has_news.clear()
            await self._has_news.wait()
        response, size = watch_pb2.WatchTasksResponse(), 0
        changes = response.changes
        while self._news and len(changes) < _MOST_IN_ONE and size < self._largest:
            key = next(iter(self._news))
            size += self._tell(changes.add(key=key), self._news.pop(key))
        return response

    def note(self, subscription: _Subscription) -> None:
        """Something is new about a subscription."""
        self._say(subscription.key, subscription)

    def close(self) -> None:
        """Watch nothing any more."""
        for key in list(self._subscriptions):
            self._forget(key)
        self._news.clear()

    def _subscribe(self, key: bytes, task: pb.GetTaskRequest) -> None:
        self._forget(key)
        try:
            self._check(key, task)
            self._allow(task)
            subscription = _Subscription(self, key)
            subscription.job = self._watching.watch(task, subscription)
            self._subscriptions[key] = subscription
            self._room.taken += 1
        except ConnectorError as error:
            self._refused += 1
            if self._refused >= _MOST_REFUSED:
                self._has_room.clear()
            self._say(key[: _LARGEST_HANDLE if key == task.resource_meta else _LARGEST_KEY], error)

    def _check(self, key: bytes, task: pb.GetTaskRequest) -> None:
        if not task.resource_meta:
            raise _unusable("task.resource_meta", "it is required: the handle that CreateTask answered")
        if len(task.resource_meta) > _LARGEST_HANDLE:
            raise _unusable(
                "task.resource_meta", f"a handle of more than {_LARGEST_HANDLE} bytes is polled, not watched"
            )
        if len(key) > _LARGEST_KEY and key != task.resource_meta:
            raise _unusable("key", f"it has {len(key)} bytes; {_LARGEST_KEY} are the most")
        if len(self._subscriptions) >= MOST_SUBSCRIPTIONS:
            raise UserError(
                f"this stream watches {MOST_SUBSCRIPTIONS} jobs, which are the most; unsubscribe from some, or open"
                " another stream",
                reason="TOO_MANY_SUBSCRIPTIONS",
            )
        if self._room.taken >= self._room.most:
            raise RateLimitedError(
                f"the process watches {self._room.taken} jobs already, as many as it may; ask about this one with"
                " GetTask, or watch it later",
                reason=OVERLOADED,
                retry_after=_AGAIN,
            )

    def _forget(self, key: bytes) -> None:
        if isinstance(self._news.pop(key, None), ConnectorError):
            self._give_room()
        subscription = self._popped(key)
        if subscription is not None and subscription.job is not None:
            self._watching.unwatch(subscription.job, subscription)

    def _popped(self, key: bytes) -> _Subscription | None:
        subscription = self._subscriptions.pop(key, None)
        if subscription is not None:
            self._room.taken -= 1
        return subscription

    def _say(self, key: bytes, what: "_Subscription | ConnectorError") -> None:
        self._news[key] = what
        self._has_news.set()

    def _give_room(self) -> None:
        self._refused -= 1
        self._has_room.set()

    def _tell(self, change: watch_pb2.TaskChange, what: "_Subscription | ConnectorError") -> int:
        if isinstance(what, ConnectorError):
            self._give_room()
            change.ended = True
            return _fail(change, what)
        job = what.job
        if job is None or job.known is None:
            raise ValueError("there is nothing to tell of a job that was not asked about")
        if job.ended:
            change.ended = True
            self._popped(what.key)
            job.watchers.pop(what, None)
        if isinstance(job.known, ConnectorError):
            return _fail(change, job.known)
        size = job.known.ByteSize()
        if size > self._largest:
            change.too_large = True
            return 0
        change.resource.CopyFrom(job.known)
        return size


def _fail(change: watch_pb2.TaskChange, error: ConnectorError) -> int:
    data = to_status(error).SerializeToString()
    change.error.MergeFromString(data)
    return len(data)


def _unusable(field: str, sentence: str) -> InvalidTaskError:
    return InvalidTaskError(f"the subscription cannot be used: {field}: {sentence}", fields={field: sentence})
