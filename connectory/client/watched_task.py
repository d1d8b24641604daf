"""A job that is watched."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from google.rpc import status_pb2

from connectory.connector.status import from_status
from connectory.errors import ConnectorError
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import watch_pb2

__all__ = ["WatchedTask"]


class WatchedTask:
    """A job that is watched. Iterate over it, or look at it whenever `on_news` was called.

    The newest state counts: one that was overtaken before anybody looked is not seen.
    """

    __slots__ = ("_changed", "_forget", "_get", "_on_news", "ended", "error", "key", "request", "resource", "too_large")

    def __init__(
        self,
        request: pb.GetTaskRequest,
        key: bytes,
        on_news: "Callable[[WatchedTask], None] | None",
        forget: "Callable[[WatchedTask], None]",
        get: Callable[[pb.GetTaskRequest], Awaitable[pb.GetTaskResponse]],
    ) -> None:
        self.request = request
        self.key = key
        self.resource: pb.Resource | None = None
        """How the job stands; None: that was not told yet, or not since there was trouble."""
        self.error: ConnectorError | None = None
        """Why the job cannot be asked about now; the service goes on asking unless this has `ended`."""
        self.too_large = False
        """Whether how the job stands has to be asked for with GetTask, because it is too large for a stream."""
        self.ended = False
        """Whether nothing more is told."""
        self._on_news = on_news
        self._forget = forget
        self._get = get
        self._changed: asyncio.Event | None = None

    @property
    def is_live(self) -> bool:
        """Whether a change of `resource` would be heard of."""
        return self.resource is not None and not self.ended

    def close(self) -> None:
        """Hear no more of it. Repetition changes nothing."""
        if not self.ended:
            self.ended = True
            self._forget(self)
            if self._changed is not None:
                self._changed.set()

    async def __aiter__(self) -> AsyncIterator[pb.Resource]:
        """How the job stands, then what changes, until it has ended.

        Raises what ended it when that is no phase of the job: an `UnsupportedError` where jobs cannot be watched.
        Trouble that may pass is not raised, see `error`.
        """
        changed = self._changed = self._changed or asyncio.Event()
        changed.set()
        seen: pb.Resource | None = None
        while True:
            await changed.wait()
            changed.clear()
            if self.too_large:
                self.resource = (await self._get(self.request)).resource
            ended, resource = self.ended, self.resource
            if resource is not None and resource is not seen:
                seen = resource
                yield resource
            if ended:
                if self.error is not None:
                    raise self.error
                return

    def learn(self, change: watch_pb2.TaskChange) -> None:
        """Take note of what the service tells."""
        what = change.WhichOneof("known")
        self.too_large = what == "too_large"
        self.resource = None
        if what == "resource":
            self.resource = pb.Resource()
            self.resource.CopyFrom(change.resource)  # a part of a message keeps all of it in memory
        self.error = None
        if what == "error":
            self.error = from_status(status_pb2.Status.FromString(change.error.SerializeToString()))
        self.ended = change.ended
        self._say()

    def fail(self, error: ConnectorError, *, ended: bool) -> None:
        """Nothing can be heard now, or ever."""
        self.resource, self.error, self.ended = None, error, ended
        self._say()

    def _say(self) -> None:
        if self._changed is not None:
            self._changed.set()
        if self._on_news is not None:
            self._on_news(self)
