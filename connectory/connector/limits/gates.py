"""The gates of all connectors of a service."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from connectory.connector.contract import CreateContext
from connectory.connector.limits.credentials import ConnectorGates, Credential, connection_of
from connectory.connector.limits.declared import LimitChanges, Limits
from connectory.connector.limits.gate import LIMIT_REACHED, Tally, Timers
from connectory.connector.registry import Registration
from connectory.errors import ConnectorError, RateLimitedError, RegistryError
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import security_pb2

__all__ = ["Gates", "LimitCount", "WaitCount", "limits_of", "pause_asked_for"]

CREATES: Final = "create"
POLLS: Final = "get"
DELETES: Final = "delete"
_LONGEST_PAUSE: Final = 3600.0
"""No external system is left alone for more seconds, whatever it says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitCount:
    """How long the calls waited that could not go at once, whatever became of them."""

    buckets: Sequence[int]
    """How many of them, by the `WAIT_BOUNDS`."""
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitCount:
    """What happened at the gates of one connector since the service began."""

    connector: str
    jobs: int
    """Jobs that are counted as open."""
    waiting: Mapping[str, int]
    """Calls that wait for their turn, by operation."""
    refused: Mapping[str, int]
    """Calls that were turned away, by operation."""
    waits: Mapping[str, WaitCount]
    """How long calls waited, by operation."""


class Gates:
    """Knows for each connector what limits it. Waits by `timers`; without them by the running event loop."""

    def __init__(self, changes: Mapping[str, LimitChanges], timers: Timers | None = None) -> None:
        self._changes = changes
        self._timers = timers
        self._known: dict[Registration, ConnectorGates | None] = {}
        self._retired: WeakKeyDictionary[Registration, ConnectorGates | None] = WeakKeyDictionary()

    def change(self, changes: Mapping[str, LimitChanges], serving: Sequence[Registration]) -> None:
        """Go by other limits, and for other connectors. Limits that cannot be are a `RegistryError`; nothing changes.

        What is counted stays: a connector that replaces one of its name goes on with its open jobs, its buckets, its
        pauses and its waiting calls. Calls that are still with the old one count with the new one.
        """
        limits = {registration: limits_of(registration, changes) for registration in serving}
        former, self._changes, self._known = self._known, changes, {}
        for registration in serving:
            gates = former.get(registration) or next(
                (gates for old, gates in former.items() if gates is not None and _succeeded(old, registration)), None
            )
            if gates is not None:
                self._known[registration] = gates
                gates.change(limits[registration])
        self._retired.update((old, gates) for old, gates in former.items() if old not in limits)

    def of(self, registration: Registration) -> ConnectorGates | None:
        """The gates of a connector; None: nothing limits it."""
        try:
            return self._known[registration]
        except KeyError:
            if registration in self._retired:
                return self._retired[registration]
            limits = limits_of(registration, self._changes)
            return self._opened(registration, limits) if limits.is_any else self._known.setdefault(registration)

    def refusal(self, gates: ConnectorGates, context: CreateContext[Any]) -> RateLimitedError | None:
        """What a create that came now would be told at once; None: it may go, or wait."""
        return gates.of(context.connection).creates.refusal(_project(context.metadata))

    async def created(
        self, gates: ConnectorGates, context: CreateContext[Any], start: Callable[[], Awaitable[bytes]]
    ) -> bytes:
        """Create a job when there is room for it, and count it."""
        credential, project = gates.of(context.connection), _project(context.metadata)
        await credential.creates.enter(project)
        try:
            handle = await start()
        except BaseException:
            credential.creates.give_back()
            raise
        credential.opened(handle, project)
        return handle

    async def execute(self, gates: ConnectorGates, header: pb.CreateRequestHeader) -> Credential:
        """Return when a call of a sync connector may go; `creates.give_back` of what is answered ends it."""
        credential = gates.of(connection_of(header))
        await credential.creates.enter(_project(header.task_execution_metadata))
        return credential

    def told(
        self, registration: Registration, connection: security_pb2.Connection | None, error: ConnectorError
    ) -> ConnectorError:
        """Remember how long an external system wants to be left alone, for all who use the same credential."""
        if (seconds := pause_asked_for(error)) is not None:
            gates = self.of(registration) or self._opened(registration, Limits())
            gates.of(connection).pause(seconds)
        return error

    async def look(self, registration: Registration, handle: bytes) -> None:
        """Return when the service itself may ask a connector about a job, for nobody."""
        gates = self.of(registration)
        if gates is not None:
            await gates.look(handle)

    def told_about(self, registration: Registration, handle: bytes, error: ConnectorError) -> ConnectorError:
        """What `told` does, for the credential under which a job is counted; the service's own when it is not."""
        if (seconds := pause_asked_for(error)) is not None:
            gates = self.of(registration) or self._opened(registration, Limits())
            gates.home(handle).pause(seconds)
        return error

    def polled(self, registration: Registration, handle: bytes, *, ended: bool) -> None:
        """A job was asked about, or is known to be over."""
        gates = self.known(registration)
        if gates is not None:
            gates.polled(handle, ended=ended)

    def known(self, registration: Registration) -> ConnectorGates | None:
        """The gates of a connector, where they were needed before."""
        gates = self._known.get(registration)
        return self._retired.get(registration) if gates is None and self._retired else gates

    def pause(self, registration: Registration, connection: security_pb2.Connection | None) -> float:
        """For how many seconds the external system wants to be left alone by a credential; 0: it does not."""
        gates = self.known(registration)
        return 0.0 if gates is None else gates.of(connection).pause_left

    @property
    def timers(self) -> Timers:
        """By what calls wait."""
        return self._timers or asyncio.get_running_loop()

    def counts(self) -> Iterator[LimitCount]:
        """What happened so far at each gate that was ever needed."""
        for gates in list(self._known.values()):
            if gates is not None:
                tallies = {CREATES: gates.creates, POLLS: gates.polls, DELETES: gates.deletes}
                yield LimitCount(
                    connector=gates.name,
                    jobs=gates.jobs,
                    waiting={operation: tally.waiting for operation, tally in tallies.items()},
                    refused={operation: tally.refused for operation, tally in tallies.items()},
                    waits={operation: _waits(tally) for operation, tally in tallies.items()},
                )

    def _opened(self, registration: Registration, limits: Limits) -> ConnectorGates:
        gates = ConnectorGates(registration.name, limits, self.timers)
        known = self._retired if registration in self._retired else self._known
        known[registration] = gates
        return gates


def pause_asked_for(error: BaseException) -> float | None:
    """For how many seconds an external system asks to be left alone; None: the error says nothing of that."""
    if not isinstance(error, RateLimitedError) or error.retry_after is None or error.reason == LIMIT_REACHED:
        return None
    return min(error.retry_after.total_seconds(), _LONGEST_PAUSE)


def limits_of(registration: Registration, said: Mapping[str, LimitChanges]) -> Limits:
    """What limits a connector: what it declares, changed by what is said for all, for its name, for its task types."""
    limits = registration.connector.limits
    if not isinstance(limits, Limits):
        raise RegistryError(f"connector {registration.name} declares limits={limits!r}; it must be a Limits(...)")
    names = ("*", registration.name, *(category.name for category in registration.categories))
    for changes in (said[name] for name in dict.fromkeys(names) if name in said):
        limits = changes.applied_to(limits)
    return limits


def _waits(tally: Tally) -> WaitCount:
    return WaitCount(buckets=tuple(tally.buckets), seconds=tally.seconds)


def _succeeded(old: Registration, new: Registration) -> bool:
    """Whether the one is a newer version of the other: of the same name, and with a category in common."""
    return old.name == new.name and not set(old.categories).isdisjoint(new.categories)


def _project(metadata: pb.TaskExecutionMetadata) -> str:
    execution = metadata.task_execution_id
    return execution.node_execution_id.execution_id.project or execution.task_id.project
