"""A job that somebody watches."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from connectory.connector.leases import ENDED
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

    __slots__ = ("count", "due", "ended", "key", "known", "lane", "pace", "request", "steered", "watchers")

    def __init__(self, request: pb.GetTaskRequest, key: JobKey, lane: Waiting, count: WatchCount) -> None:
        self.request = request
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

    def learn(self, known: Known) -> bool:
        """Take note of how it stands; whether that is new."""
        before, self.known = self.known, known
        if isinstance(known, ConnectorError):
            self.ended = isinstance(known, _FINAL)
            return not (isinstance(before, ConnectorError) and _facts(before) == _facts(known))
        self.ended = known.phase in ENDED
        return self.ended or before != known

    def tell(self) -> None:
        """Tell everybody."""
        for watcher in list(self.watchers):
            watcher.news(self)


def _facts(error: ConnectorError) -> tuple[type[ConnectorError], str, str]:
    """What makes an error another one; the message of a defect has a new id each time."""
    return type(error), error.reason, "" if isinstance(error, InternalError) else error.message
