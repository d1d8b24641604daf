"""The gates of all connectors of a service."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from connectory.connector.contract import CreateContext
from connectory.connector.limits.credentials import ConnectorGates, Credential, connection_of
from connectory.connector.limits.declared import LimitChanges, Limits
from connectory.connector.limits.gate import LIMIT_REACHED, Timers
from connectory.connector.registry import Registration
from connectory.errors import ConnectorError, RateLimitedError, RegistryError
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import security_pb2

__all__ = ["Gates", "LimitCount"]

CREATES: Final = "create"
POLLS: Final = "get"
_LONGEST_PAUSE: Final = 3600.0


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


class Gates:
    """Knows for each connector what limits it. Waits by `timers`; without them by the running event loop."""

    def __init__(self, changes: Mapping[str, LimitChanges], timers: Timers | None = None) -> None:
        self._changes = changes
        self._timers = timers
        self._known: dict[Registration, ConnectorGates | None] = {}

    def of(self, registration: Registration) -> ConnectorGates | None:
        """The gates of a connector; None: nothing limits it."""
        try:
            return self._known[registration]
        except KeyError:
            limits = self._limits(registration)
            return self._opened(registration, limits) if limits.is_any else self._known.setdefault(registration)

    async def created(
        self, gates: ConnectorGates, context: CreateContext[Any], start: Callable[[], Awaitable[bytes]]
    ) -> bytes:
        """Create a job when there is room for it, and count it."""
        credential = gates.of(context.connection)
        await credential.creates.enter(_project(context.metadata))
        try:
            handle = await start()
        except BaseException:
            credential.creates.give_back()
            raise
        credential.opened(handle)
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
        if isinstance(error, RateLimitedError) and error.retry_after is not None and error.reason != LIMIT_REACHED:
            gates = self.of(registration) or self._opened(registration, Limits())
            gates.of(connection).pause(min(error.retry_after.total_seconds(), _LONGEST_PAUSE))
        return error

    def polled(self, registration: Registration, handle: bytes, *, ended: bool) -> None:
        """A job was asked about, or is known to be over."""
        gates = self._known.get(registration)
        if gates is not None:
            gates.polled(handle, ended=ended)

    def counts(self) -> Iterator[LimitCount]:
        """What happened so far at each gate that was ever needed."""
        for gates in list(self._known.values()):
            if gates is not None:
                yield LimitCount(
                    connector=gates.name,
                    jobs=gates.jobs,
                    waiting={CREATES: gates.creates.waiting, POLLS: gates.polls.waiting},
                    refused={CREATES: gates.creates.refused, POLLS: gates.polls.refused},
                )

    def _opened(self, registration: Registration, limits: Limits) -> ConnectorGates:
        timers = self._timers or asyncio.get_running_loop()
        gates = ConnectorGates(registration.name, limits, timers)
        self._known[registration] = gates
        return gates

    def _limits(self, registration: Registration) -> Limits:
        limits = registration.connector.limits
        names = ("*", registration.name, *(category.name for category in registration.categories))
        for changes in (self._changes[name] for name in dict.fromkeys(names) if name in self._changes):
            limits = changes.applied_to(limits)
        if not isinstance(limits, Limits):
            raise RegistryError(f"connector {registration.name} declares limits={limits!r}; it must be a Limits(...)")
        return limits


def _project(metadata: pb.TaskExecutionMetadata) -> str:
    execution = metadata.task_execution_id
    return execution.node_execution_id.execution_id.project or execution.task_id.project
