"""A job that somebody watches."""

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple, Protocol

from connectory.connector.leases import ENDED
from connectory.connector.polling import LastReport
from connectory.connector.shared_polls import Asked, retold
from connectory.connector.watching.pace import Pace
from connectory.errors import ConnectorError, InternalError, InvalidTaskError, NotFoundError, UnsupportedError
from connectory.v1 import connector_pb2 as pb

__all__ = ["JobKey", "Known", "WatchCount", "WatchedJob", "Watcher"]

Known = pb.Resource | ConnectorError
"""How a job stands, or why it could not be asked about."""

_FINAL = (NotFoundError, InvalidTaskError, UnsupportedError)
"""Errors that asking again would not mend."""


class JobKey(NamedTuple):
    """What makes a watched job another one."""

    name: str
    version: int
    handle: bytes
    """Without its signature."""
    output_prefix: str
    credential: str


@dataclass(slots=True)
class WatchCount:
    """What happened to watched jobs of one category since the service began."""

    category: str
    jobs: int = 0
    """How many are watched now."""
    polls: int = 0
    """How often one was asked about."""
    failed: int = 0
    """How many of these polls failed."""


class Waiting(Protocol):
    """Where jobs wait for being polled."""

    jobs: int
    """How many jobs are polled here, again and again."""

    def add(self, job: "WatchedJob") -> None:
        """Poll a job when it is its turn."""


class Watcher(Protocol):
    """Who watches a job."""

    def news(self, job: "WatchedJob") -> None:
        """Something is new about the job; to be called from the event loop, and to return at once."""


class WatchedJob:
    """What is known of a job, and who wants to know it."""

    __slots__ = (
        "answer",
        "asked",
        "count",
        "due",
        "ended",
        "key",
        "known",
        "lane",
        "last",
        "pace",
        "request",
        "steered",
        "told",
        "watchers",
    )

    def __init__(self, request: pb.GetTaskRequest, key: JobKey, asked: Asked, lane: Waiting, count: WatchCount) -> None:
        self.request = request
        self.asked = asked
        self.last = LastReport()
        self.answer: pb.GetTaskResponse | None = None
        """The latest; None: the latest poll failed, or there was none."""
        self.told: timedelta | None = None
        """How long its connector wants to be left alone, as the answer says."""
        self.key = key
        self.lane = lane
        self.count = count
        self.watchers: dict[Watcher, None] = {}
        self.known: Known | None = None
        """None: nobody was asked yet. A resource is without `poll_after`."""
        self.ended = False
        """Whether it is not asked about any more."""
        self.pace = Pace()
        self.steered = False
        """Whether its connector says when it is polled."""
        self.due: float | None = None
        """When it is to be polled; None: it is being polled, or waits for its turn."""

    def answered(self, answer: pb.GetTaskResponse) -> bool:
        """Take note of how it stands; whether that is new."""
        if answer is self.answer:
            return False
        before, self.answer = self.known, answer
        resource = answer.resource
        self.told = None
        if resource.HasField("poll_after"):
            self.told = resource.poll_after.ToTimedelta()
            resource = pb.Resource()
            resource.CopyFrom(answer.resource)
            resource.ClearField("poll_after")
        self.known = resource
        self.ended = resource.phase in ENDED
        return self.ended or before != resource

    def failed(self, error: ConnectorError) -> bool:
        """Take note that it could not be asked about; whether that is new."""
        before, self.known, self.answer = self.known, retold(error), None
        self.ended = isinstance(error, _FINAL)
        return self.ended or not (isinstance(before, ConnectorError) and _facts(before) == _facts(error))

    def tell(self) -> None:
        """Tell everybody."""
        for watcher in list(self.watchers):
            watcher.news(self)


def _facts(error: ConnectorError) -> tuple[type[ConnectorError], str, str]:
    """What makes an error another one; the message of a defect has a new id each time."""
    return type(error), error.reason, "" if isinstance(error, InternalError) else error.message
