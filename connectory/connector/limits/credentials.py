"""The gates of one connector: a pair for each credential that callers bring."""

import hashlib
from collections.abc import Awaitable
from typing import Any, Final, Protocol

from connectory.connector.limits.buckets import TokenBucket
from connectory.connector.limits.declared import Limits
from connectory.connector.limits.gate import Gate, Tally, Timers
from connectory.connector.limits.lanes import Lane, Pause
from connectory.connector.limits.slots import Slots
from connectory.v1 import security_pb2

__all__ = ["ConnectorGates", "Credential", "connection_of", "credential_of"]

_MANY: Final = 1024
_UNSEEN: Final = 600.0


def credential_of(connection: security_pb2.Connection | None) -> str:
    """What counts as one credential: the connection that comes with requests. Those without one share the service's."""
    if connection is None:
        return ""
    return hashlib.blake2b(connection.SerializeToString(deterministic=True), digest_size=16).hexdigest()


class _MayBringConnection(Protocol):
    @property
    def connection(self) -> security_pb2.Connection: ...
    def HasField(self, name: Any, /) -> bool: ...


def connection_of(request: _MayBringConnection) -> security_pb2.Connection | None:
    """The connection that a request brings."""
    return request.connection if request.HasField("connection") else None


class Credential:
    """What one credential may do with one connector."""

    def __init__(self, owner: "ConnectorGates") -> None:
        limits, self._timers, self._homes = owner.limits, owner.timers, owner.homes
        self._pause = Pause()
        self._slots = Slots(limits.jobs, _UNSEEN, self._lapsed)
        creates = _bucket(limits.creates_per_second, limits.create_burst)
        polls = _bucket(limits.polls_per_second, limits.poll_burst)
        self._lanes = (
            Lane(pause=self._pause, bucket=creates, slots=self._slots, wait=limits.wait, queue=limits.queue),
            Lane(pause=self._pause, bucket=polls, slots=None, wait=limits.wait, queue=limits.queue),
        )
        self.creates = Gate(owner.name, self._lanes[0], owner.creates, self._timers)
        self.polls = Gate(owner.name, self._lanes[1], owner.polls, self._timers)

    def opened(self, handle: bytes, project: str) -> None:
        """A create that was let through made this job, for this project."""
        self._slots.opened(handle, self._timers.time())
        self._homes[handle] = (self, project)

    def seen(self, handle: bytes) -> None:
        """Somebody asked about a job that is counted here."""
        self._slots.seen(handle, self._timers.time())

    def ended(self, handle: bytes) -> None:
        """A job that is counted here is over."""
        self._slots.ended(handle)
        self.creates.settle()

    def pause(self, seconds: float) -> None:
        """The external system wants to be left alone for so long."""
        self._pause.until = max(self._pause.until, self._timers.time() + seconds)
        self.creates.settle()
        self.polls.settle()

    def change(self, limits: Limits) -> None:
        """Go by other limits; what is counted, taken and paused stays so, and who waits is decided about anew."""
        now, (creates, polls) = self._timers.time(), self._lanes
        self._slots.limit = limits.jobs
        creates.change(limits.creates_per_second, limits.create_burst, limits, now)
        polls.change(limits.polls_per_second, limits.poll_burst, limits, now)
        self.creates.settle()
        self.polls.settle()

    @property
    def pause_left(self) -> float:
        """For how many seconds the external system wants to be left alone; 0: it does not."""
        return max(self._pause.until - self._timers.time(), 0.0)

    @property
    def jobs(self) -> int:
        """How many jobs are counted as open."""
        return self._slots.taken

    @property
    def is_idle(self) -> bool:
        """Whether it may be forgotten."""
        now = self._timers.time()
        return all(lane.is_idle(now) for lane in self._lanes)

    def _lapsed(self, handle: bytes) -> None:
        self._homes.pop(handle, None)


class ConnectorGates:
    """The credentials of one connector."""

    def __init__(self, name: str, limits: Limits, timers: Timers) -> None:
        self.name = name
        self.limits = limits
        self.timers = timers
        self.homes: dict[bytes, tuple[Credential, str]] = {}
        """Where each open job is counted, and for which project it is, by its handle."""
        self.creates = Tally()
        self.polls = Tally()
        self.deletes = Tally()
        self._credentials: dict[str, Credential] = {}
        self._sweep_at = _MANY

    def of(self, connection: security_pb2.Connection | None) -> Credential:
        """What holds for whoever brings this connection."""
        return self.named(credential_of(connection))

    def named(self, name: str) -> Credential:
        """What holds for a credential, by the name that `credential_of` gives it."""
        known = self._credentials.get(name)
        if known is None:
            if len(self._credentials) >= self._sweep_at:
                self._credentials = {name: one for name, one in self._credentials.items() if not one.is_idle}
                self._sweep_at = max(_MANY, 2 * len(self._credentials))
            known = self._credentials[name] = Credential(self)
        return known

    def change(self, limits: Limits) -> None:
        """Go by other limits, for all credentials."""
        self.limits = limits
        for one in self._credentials.values():
            one.change(limits)

    async def look(self, handle: bytes) -> None:
        """Return when the service itself may ask about a job: with the credential under which it is counted."""
        await self.home(handle).polls.enter(self._project_of(handle))

    def home(self, handle: bytes) -> Credential:
        """Under which credential a job is counted; the service's own when it is not."""
        home = self.homes.get(handle)
        return self.of(None) if home is None else home[0]

    def poll(self, credential: str, handle: bytes) -> Awaitable[None] | None:
        """What to await before a poll of a job may go, by the name of a credential; None: it may go now.

        Who polls does not say for which project, but its create did.
        """
        gate = self.named(credential).polls
        return None if gate.passes() else gate.enter(self._project_of(handle))

    def polled(self, handle: bytes, *, ended: bool) -> None:
        """A job was asked about."""
        home = self.homes.get(handle)
        if home is None:
            return
        credential, _ = home
        if ended:
            del self.homes[handle]
            credential.ended(handle)
        else:
            credential.seen(handle)

    def _project_of(self, handle: bytes) -> str:
        home = self.homes.get(handle)
        return "" if home is None else home[1]

    @property
    def jobs(self) -> int:
        """How many jobs are counted as open, those being created included."""
        return sum(one.jobs for one in list(self._credentials.values()))


def _bucket(rate: float | None, burst: int | None) -> TokenBucket | None:
    return None if rate is None else TokenBucket(rate, burst)
