"""What a connector is: the classes that authors subclass and the values that they exchange with the service.

A connector puts one external system behind a task category. Its author implements either

* `AsyncConnector`: `create` starts a job and returns a handle; `get` reports on it; `delete` removes it; or
* `SyncConnector`: `execute` does the whole work within one call.

Every method may be `async def` or plain `def`. Which one it is, is decided once, at registration; a plain `def` runs
on the connector's own bounded thread pool, so it may block without delaying anybody else. An `async def` must not
block.
"""

import enum
import logging
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar

from connectory.connector.limits.declared import Limits
from connectory.secrets import Secrets
from connectory.storage import Storage
from connectory.types import ConversionContext, TypeRegistry
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import literals_pb2, security_pb2, tasks_pb2

__all__ = [
    "AsyncConnector",
    "Connector",
    "CreateContext",
    "JobContext",
    "JobError",
    "LogLine",
    "LogLink",
    "LogPage",
    "LogRequest",
    "MetricSeries",
    "MetricsRequest",
    "Phase",
    "Resource",
    "SyncConnector",
    "TaskCategory",
]

ConfigT = TypeVar("ConfigT")
HandleT = TypeVar("HandleT")
T = TypeVar("T")

MaybeAwaitable: TypeAlias = Awaitable[T] | T


class Phase(enum.IntEnum):
    """Where a job is; the numbers are those of `connectory.v1.TaskExecution.Phase`."""

    UNDEFINED = 0
    QUEUED = 1
    RUNNING = 2
    SUCCEEDED = 3
    ABORTED = 4
    FAILED = 5
    INITIALIZING = 6
    WAITING_FOR_RESOURCES = 7
    RETRYABLE_FAILED = 8

    @property
    def is_terminal(self) -> bool:
        """Whether a job in this phase never changes again."""
        return self in _TERMINAL


_TERMINAL = frozenset({Phase.SUCCEEDED, Phase.ABORTED, Phase.FAILED, Phase.RETRYABLE_FAILED})


@dataclass(frozen=True, slots=True, order=True)
class TaskCategory:
    """The key under which a connector is registered: a task type and its version (0: the first)."""

    name: str
    version: int = 0

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLink:
    """A page where a person can read about the job."""

    uri: str
    name: str
    ready: bool = True
    """False while the page is not yet there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobError:
    """Why a job failed, as structured facts."""

    code: str
    """A stable word for programs, such as "ExitCode" or the external system's own."""
    message: str = ""
    kind: Literal["user", "system", "unknown"] = "user"
    """Who caused it; retries of user and system errors are budgeted apart."""
    recoverable: bool = False
    """Whether the same task may succeed when it is run again."""


@dataclass(kw_only=True, slots=True)  # not frozen: that would cost every poll a microsecond
class Resource:
    """The state of a job as `get` and `execute` report it.

    `outputs` maps each declared output to a native value, or is a ready LiteralMap; native values are converted by the
    task's declared interface. It is read only with phase SUCCEEDED. `custom_info` is shown to people as it is. `phase`
    also takes the plain number; one that nobody knows means "still running".
    """

    phase: Phase | int
    message: str = ""
    log_links: Sequence[LogLink] = ()
    outputs: Mapping[str, Any] | literals_pb2.LiteralMap | None = None
    custom_info: Mapping[str, Any] | None = None
    error: JobError | None = None
    poll_after: timedelta | None = None
    """How long the caller may wait before it asks again; None: the caller decides."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """One line of a job's log."""

    message: str
    timestamp: datetime | None = None
    origin: Literal["unknown", "user", "system"] = "user"


@dataclass(frozen=True, kw_only=True, slots=True)
class LogRequest:
    """Which part of a job's log is wanted."""

    lines: int | None = None
    """At most this many lines; None: all there are now."""
    token: str = ""
    """Where to go on: the token of an earlier page; empty: from the beginning."""
    newest: int | None = None
    """Only so many of the last lines are wanted. A connector that can begin just before them may; others need not: what
    comes before them is dropped.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class LogPage:
    """Some lines of a job's log, and the token that resumes right after them. Empty token: nothing will ever follow."""

    lines: Sequence[LogLine]
    token: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricsRequest:
    """Which metrics of a job are wanted, for which span of time, at which step."""

    queries: Sequence[str]
    start: datetime | None = None
    end: datetime | None = None
    step: timedelta | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricSeries:
    """One metric's values; `data` is JSON-like and crosses the wire as a Struct."""

    metric: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class JobContext:
    """What every call on an existing job gets besides its handle."""

    category: TaskCategory
    secrets: Secrets
    storage: Storage
    logger: logging.Logger
    output_prefix: str = ""
    """Where the job's outputs belong, as an object store URL; empty when the caller named none."""
    deadline: datetime | None = None
    """When the caller stops waiting (aware, UTC); None: never."""
    connection: security_pb2.Connection | None = None
    """Settings and secrets that came with the request."""


@dataclass(kw_only=True)
class CreateContext(JobContext, Generic[ConfigT]):
    """What `create` and `execute` get: the task, its inputs, its config, and everything of `JobContext`."""

    template: tasks_pb2.TaskTemplate
    literals: literals_pb2.LiteralMap
    """The inputs as they came."""
    config: ConfigT
    """The task's `custom`, validated as the connector's own config class."""
    idempotency_key: str
    """The same key means the same job; never empty."""
    types: TypeRegistry
    metadata: pb.TaskExecutionMetadata = field(default_factory=pb.TaskExecutionMetadata)

    @cached_property
    def conversion(self) -> ConversionContext:
        """Where conversions read from, and where they store what outputs refer to: below `output_prefix`."""
        return ConversionContext(storage=self.storage, raw_output_prefix=self.output_prefix)

    @cached_property
    def inputs(self) -> Mapping[str, Any]:
        """The inputs as native Python values, converted by the declared interface on first use."""
        return self.types.map_to_python(self.literals, self.template.interface.inputs, self.conversion)


class Connector(Generic[ConfigT]):
    """What sync and async connectors share. Subclass `AsyncConnector` or `SyncConnector` instead.

    The config class is the first type argument: a dataclass or `msgspec.Struct` for the task's `custom`. Without
    type arguments the config is a plain dict.
    """

    name: ClassVar[str] = ""
    """How people call it; the class's name when empty."""
    task_type: str = ""
    """The task type that it answers."""
    task_type_version: int = 0
    pool_size: ClassVar[int] = 8
    """How many plain `def` calls of this connector run at once; more wait in its own queue."""
    limits: ClassVar[Limits] = Limits()
    """How much of the external system may be used with each credential. Operators may say otherwise."""

    @property
    def categories(self) -> Sequence[TaskCategory]:
        """The categories that this connector answers; override it to answer several."""
        return (TaskCategory(self.task_type, self.task_type_version),)

    def check(self) -> MaybeAwaitable[None]:
        """Raise when the external system cannot be used now. Called for health, at most every few seconds."""

    def close(self) -> MaybeAwaitable[None]:
        """Release what the connector holds (sessions, pools). Called once, after the last call."""


class SyncConnector(Connector[ConfigT]):
    """A connector whose whole work fits into one call."""

    def execute(self, ctx: CreateContext[ConfigT]) -> MaybeAwaitable[Resource]:
        """Do the work and report its end.

        Obligations: return a terminal phase; raise an error of the tree for what cannot be done; expect to be called
        again with the same `ctx.idempotency_key` after a lost answer.
        """
        raise NotImplementedError


class AsyncConnector(Connector[ConfigT], Generic[ConfigT, HandleT]):
    """A connector that starts jobs and finds them again by handle.

    The handle class is the second type argument: a dataclass or `msgspec.Struct`. It crosses the wire as JSON, so it
    holds what is needed to find the job again and nothing secret.
    """

    handle_version: ClassVar[int] = 1
    """The handle's schema version. Raise it when the class changes, and implement `upgrade`."""
    on_orphan: ClassVar[Literal["keep", "delete"]] = "keep"
    """What happens to a job that has not ended, and that nobody has polled for the time of its `lease`: it is reported,
    or deleted. Operators may say otherwise.
    """
    lease: ClassVar[timedelta] = timedelta(hours=1)
    """How long after its latest poll a job counts as looked after; zero: for ever. Operators may say otherwise."""
    poll_every: ClassVar[timedelta | None] = None
    """How often a job that somebody watches is polled, unless its `Resource` says `poll_after`; None: soon after its
    create often, later every five seconds.
    """

    def create(self, ctx: CreateContext[ConfigT]) -> MaybeAwaitable[HandleT]:
        """Start the job and return its handle.

        Obligations: either the job exists and its handle is returned, or an error is raised and no job is left
        behind. Called again with the same `ctx.idempotency_key` only when the service cannot know the outcome and
        `find` answered None.
        """
        raise NotImplementedError

    def get(self, job: HandleT, ctx: JobContext) -> MaybeAwaitable[Resource]:
        """Report the job's phase now, without waiting for it to change. An unknown job is a `NotFoundError`."""
        raise NotImplementedError

    def delete(self, job: HandleT, ctx: JobContext) -> MaybeAwaitable[None]:
        """End the job and release what it holds. Idempotent: a job that is gone already is no error."""
        raise NotImplementedError

    def find(self, key: str, ctx: CreateContext[ConfigT]) -> MaybeAwaitable[HandleT | None]:
        """The handle of the job created under this key, or None when there certainly is none.

        Optional. It lets a create be repeated safely after a crash.
        """
        raise NotImplementedError

    def logs(self, job: HandleT, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        """The job's log from `request.token` on, page by page (`async def` with `yield`). Optional.

        Obligations: send what there is now and return, without waiting for more; the same token always goes on at the
        same line, also on another server and once the job has ended. A page is asked for when its caller took the one
        before it. Whoever follows the log calls again.
        """
        raise NotImplementedError

    def metrics(self, job: HandleT, request: MetricsRequest, ctx: JobContext) -> MaybeAwaitable[Sequence[MetricSeries]]:
        """The job's metrics, each as series in the form of Prometheus' range queries. Optional.

        Obligations: no query means all that there are; one that is not known is an `InvalidTaskError` that names it.
        """
        raise NotImplementedError

    def upgrade(self, handle: Mapping[str, Any], from_version: int) -> Mapping[str, Any]:
        """Turn the JSON of an older handle into the current shape. Required once `handle_version` is above 1."""
        raise NotImplementedError
