"""Where executions are kept.

Obligations of every store:

* What a finished call wrote survives a crash of the process and of the machine (a store in memory: of neither).
* A call either writes all of what it was given or nothing, and then raises a StoreError.
* The log of an execution has no gaps: `append` writes records only right behind the last one, so that of two writers
  of one execution only one can go on.
* An execution that a runner holds (see `LeaseBook`) is written by that runner only: from the moment that another one
  has taken it, `append` and `put_plugin_state` of the one before are refused.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self

import msgspec

from connectory.database.contract import Database
from connectory.errors import StoreError
from workflow_runner.cache.contract import ResultCache
from workflow_runner.store.leases import LeaseBook
from workflow_runner.store.notices import Notices

__all__ = [
    "OF_EXECUTION",
    "ExecutionExistsError",
    "ExecutionRecord",
    "LogConflictError",
    "LogRecord",
    "PluginState",
    "Store",
    "UnknownExecutionError",
]


class ExecutionExistsError(StoreError):
    """An execution with this id exists already; choose another id, or resume it."""


class UnknownExecutionError(StoreError):
    """The store holds no execution with this id."""


class LogConflictError(StoreError):
    """Another runner has written to the log of this execution; it goes on there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutionRecord:
    """What is known of an execution without reading its log. Times are seconds since 1970 (UTC)."""

    id: str
    workflow: str
    project: str = ""
    domain: str = ""
    phase: str
    error: str = ""
    started_at: float
    ended_at: float | None = None


class LogRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One event, and the commands that it led to, encoded."""

    event: bytes
    commands: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class PluginState:
    """What a plugin remembers of an attempt."""

    version: int
    data: bytes


OF_EXECUTION: Final = ("", 0)
"""Where a node and an attempt are told: what is remembered for all attempts of an execution."""


class Store(Protocol):
    """Keeps executions. Usable from one event loop, between `__aenter__` and `__aexit__`."""

    async def __aenter__(self) -> Self:
        """Open the store, and bring its schema up to date."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish what was begun and close."""
        ...

    @property
    def cache(self) -> ResultCache:
        """Where results of tasks are kept beside the executions."""
        ...

    @property
    def leases(self) -> LeaseBook:
        """Which runner drives which execution; this store speaks for one of them."""
        ...

    @property
    def notices(self) -> Notices:
        """Wakes those who wait for something in the store, as far as this store hears of it."""
        ...

    @property
    def database(self) -> Database:
        """Where all of this is kept; rooms that keep something of their own beside it ask for it here."""
        ...

    async def create(self, execution: ExecutionRecord, log: Sequence[LogRecord], *, held: bool = False) -> None:
        """Keep a new execution with the beginning of its log, or raise ExecutionExistsError.

        When it is `held`, this store's owner drives it from now on.
        """
        ...

    async def append(
        self, execution_id: str, number: int, log: Sequence[LogRecord], update: ExecutionRecord | None = None
    ) -> None:
        """Write records with the numbers from `number` on, and what changed of the execution.

        LogConflictError when one of the numbers is taken, or another owner holds the execution. An update that says
        when the execution ended lets go of it.
        """
        ...

    def appends_at_once(self, execution_id: str) -> bool:
        """Whether `append_at_once` is worth trying now."""
        ...

    def append_at_once(self, execution_id: str, number: int, record: LogRecord) -> bool:
        """Whether this record is written already: in this thread, whichever it is, and waiting for nobody else.

        If not, `append` writes it or says why it cannot be.
        """
        ...

    async def log(self, execution_id: str) -> Sequence[LogRecord]:
        """The whole log, in order, or raise UnknownExecutionError."""
        ...

    async def logs(self, execution_ids: Collection[str]) -> Mapping[str, Sequence[LogRecord]]:
        """The whole logs of several executions at once; unknown ones are left out."""
        ...

    async def execution(self, execution_id: str) -> ExecutionRecord:
        """One execution, or raise UnknownExecutionError."""
        ...

    async def executions(self, limit: int = 100) -> Sequence[ExecutionRecord]:
        """The executions that were started last, the latest first."""
        ...

    async def put_plugin_state(self, execution_id: str, node: str, attempt: int, state: PluginState) -> None:
        """Keep what a plugin remembers of an attempt, in place of what it remembered before.

        LogConflictError when another owner holds the execution.
        """
        ...

    async def plugin_states(self, execution_id: str) -> Mapping[tuple[str, int], PluginState]:
        """What plugins remember of an execution's attempts, by node and attempt."""
        ...

    async def many_plugin_states(
        self, execution_ids: Collection[str]
    ) -> Mapping[str, Mapping[tuple[str, int], PluginState]]:
        """The same for several executions at once; those without any are left out."""
        ...

    async def put_signal(self, execution_id: str, signal: str, value: bytes) -> None:
        """Keep an answer to an execution's gates; when there is one already, that one stays."""
        ...

    async def signals(self, execution_id: str) -> Mapping[str, bytes]:
        """The answers to an execution's gates, by signal."""
        ...
