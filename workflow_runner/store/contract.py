"""Where executions are kept.

Obligations of every store:

* What a finished call wrote survives a crash of the process and of the machine (a store in memory: of neither).
* A call either writes all of what it was given or nothing, and then raises a StoreError.
* The log of an execution has no gaps: `append` writes records only right behind the last one, so that of two writers
  of one execution only one can go on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from connectory.errors import StoreError
from workflow_runner.cache.contract import ResultCache

__all__ = [
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
    phase: str
    error: str = ""
    started_at: float
    ended_at: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LogRecord:
    """One event, and the commands that it led to, encoded."""

    event: bytes
    commands: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class PluginState:
    """What a plugin remembers of an attempt."""

    version: int
    data: bytes


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

    async def create(self, execution: ExecutionRecord, log: Sequence[LogRecord]) -> None:
        """Keep a new execution with the beginning of its log, or raise ExecutionExistsError."""
        ...

    async def append(
        self, execution_id: str, number: int, log: Sequence[LogRecord], update: ExecutionRecord | None = None
    ) -> None:
        """Write records with the numbers from `number` on, and what changed of the execution.

        LogConflictError when one of the numbers is taken.
        """
        ...

    async def log(self, execution_id: str) -> Sequence[LogRecord]:
        """The whole log, in order, or raise UnknownExecutionError."""
        ...

    async def execution(self, execution_id: str) -> ExecutionRecord:
        """One execution, or raise UnknownExecutionError."""
        ...

    async def executions(self, limit: int = 100) -> Sequence[ExecutionRecord]:
        """The executions that were started last, the latest first."""
        ...

    async def put_plugin_state(self, execution_id: str, node: str, attempt: int, state: PluginState) -> None:
        """Keep what a plugin remembers of an attempt, in place of what it remembered before."""
        ...

    async def plugin_states(self, execution_id: str) -> Mapping[tuple[str, int], PluginState]:
        """What plugins remember of an execution's attempts, by node and attempt."""
        ...

    async def put_signal(self, execution_id: str, signal: str, value: bytes) -> None:
        """Keep an answer to an execution's gates; when there is one already, that one stays."""
        ...

    async def signals(self, execution_id: str) -> Mapping[str, bytes]:
        """The answers to an execution's gates, by signal."""
        ...

    async def forget_plugin_states(self, execution_id: str) -> None:
        """Drop what plugins remember of an execution; it has ended."""
        ...
