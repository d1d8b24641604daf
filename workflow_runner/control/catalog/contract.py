"""Where registered entities, and what executions were asked for, are kept.

Obligations of every catalog, beyond those of a store:

* What is registered under an identifier never changes; of any number of writers, the first one's content stays.
* At most one version of a launch plan is active.
* An execution that was accepted is never forgotten, whether or not it has begun.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from workflow_runner.control.queries import Field, Query

__all__ = [
    "ENTITY_FIELDS",
    "EXECUTION_FIELDS",
    "NAME_FIELDS",
    "PROJECT_FIELDS",
    "Catalog",
    "Entity",
    "EntityKey",
    "ExecutionKey",
    "KnownExecution",
    "NameRecord",
    "ProjectRecord",
    "Taken",
]

Taken = Literal["name", "id", "place"]


class EntityKey(NamedTuple):
    """A registered version. `kind` is a number of `ResourceType`."""

    kind: int
    project: str
    domain: str
    name: str
    version: str


class ExecutionKey(NamedTuple):
    """An execution as its users know it."""

    project: str
    domain: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Entity:
    """One registered version. Times are seconds since 1970 (UTC)."""

    kind: int
    project: str
    domain: str
    name: str
    version: str
    digest: str
    """Of what was registered: the same digest means the same content."""
    body: bytes
    """A `Task`, `Workflow` or `LaunchPlan`, without what can change."""
    created_at: float
    active: bool = False
    """Of launch plans: whether this is the version that counts."""
    updated_at: float = 0.0

    @property
    def key(self) -> EntityKey:
        """Under which it is registered."""
        return EntityKey(self.kind, self.project, self.domain, self.name, self.version)


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownExecution:
    """An execution that was asked for, and how it stands. Times are seconds since 1970 (UTC)."""

    project: str
    domain: str
    name: str
    id: str
    """What the runner calls it."""
    request: bytes
    """An `ExecutionCreateRequest` with every input, defaults included."""
    mode: str
    """A name of `ExecutionMode`."""
    launch_plan: str
    launch_plan_version: str
    workflow: str
    workflow_version: str
    task: str = ""
    """Of an execution of a single task: the task."""
    created_at: float
    archived: bool = False
    archived_at: float | None = None
    phase: str = "QUEUED"
    """As the runner says; QUEUED while it has not begun."""
    error: str = ""
    started_at: float | None = None
    ended_at: float | None = None

    @property
    def key(self) -> ExecutionKey:
        """As its users know it."""
        return ExecutionKey(self.project, self.domain, self.name)

    @property
    def state(self) -> str:
        """A name of `ExecutionState`."""
        return "EXECUTION_ARCHIVED" if self.archived else "EXECUTION_ACTIVE"

    @property
    def updated_at(self) -> float:
        """When it last began or ended anything that is known here."""
        return self.ended_at or self.started_at or self.created_at

    @property
    def duration(self) -> float:
        """Seconds from its beginning to its end; 0 while it has not ended."""
        return self.ended_at - self.started_at if self.ended_at is not None and self.started_at is not None else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class NameRecord:
    """A name with all its versions."""

    project: str
    domain: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectRecord:
    """A project that somebody made, or registered something in."""

    id: str
    body: bytes
    """A `Project`."""


ENTITY_FIELDS: Mapping[str, Field] = {
    "project": Field(column="project"),
    "domain": Field(column="domain"),
    "name": Field(column="name"),
    "version": Field(column="version"),
    "created_at": Field(column="created_at", kind="time"),
}
NAME_FIELDS: Mapping[str, Field] = {"name": Field(column="name")}
PROJECT_FIELDS: Mapping[str, Field] = {"identifier": Field(column="id"), "id": Field(column="id")}
EXECUTION_FIELDS: Mapping[str, Field] = {
    "project": Field(column="project"),
    "domain": Field(column="domain"),
    "name": Field(column="name"),
    "phase": Field(column="phase"),
    "mode": Field(column="mode"),
    "state": Field(column="state"),
    "created_at": Field(column="created_at", kind="time"),
    "execution_created_at": Field(column="created_at", kind="time"),
    "started_at": Field(column="started_at", kind="time"),
    "updated_at": Field(column="updated_at", kind="time"),
    "duration": Field(column="duration", kind="number"),
    "launch_plan.name": Field(column="launch_plan"),
    "launch_plan.version": Field(column="launch_plan_version"),
    "workflow.name": Field(column="workflow"),
    "workflow.version": Field(column="workflow_version"),
    "task.name": Field(column="task"),
}


class Catalog(Protocol):
    """Keeps what is registered and what was asked for. Usable while the store is open."""

    async def add(self, entity: Entity) -> Entity | None:
        """Keep a new entity; the answer is None, or what is kept under its key already, which then stays."""
        ...

    async def get(self, key: EntityKey) -> Entity | None:
        """One registered version."""
        ...

    async def entities(self, kind: int, project: str, domain: str, name: str, query: Query) -> Sequence[Entity]:
        """Versions of a name, or of all names when it is empty; one more than the limit when there are more."""
        ...

    async def names(self, kind: int, project: str, domain: str, query: Query) -> Sequence[NameRecord]:
        """Names that have versions; one more than the limit when there are more."""
        ...

    async def activate(self, key: EntityKey, active: bool, at: float) -> bool:
        """Make this version of a launch plan the active one, or no longer; False: there is no such version."""
        ...

    async def active(self, project: str, domain: str, name: str) -> Entity | None:
        """The active version of a launch plan."""
        ...

    async def active_plans(self, project: str, domain: str, query: Query) -> Sequence[Entity]:
        """The active versions of all launch plans of a domain; one more than the limit when there are more."""
        ...

    async def accept(self, execution: KnownExecution, *, most: int = 0) -> Taken | None:
        """Keep a new execution; the answer is None, or what of it is taken.

        With `most` its place is taken when so many of its launch plan have not ended, whoever else asks at once.
        """
        ...

    async def forget(self, key: ExecutionKey) -> None:
        """Drop an execution that could not begin."""
        ...

    async def execution(self, key: ExecutionKey) -> KnownExecution | None:
        """One execution, and how it stands."""
        ...

    async def executions(self, project: str, domain: str, query: Query) -> Sequence[KnownExecution]:
        """Executions of a domain; one more than the limit when there are more."""
        ...

    async def waiting(self) -> Sequence[KnownExecution]:
        """Executions that were accepted and have not begun."""
        ...

    async def archive(self, key: ExecutionKey, archived: bool, at: float) -> bool:
        """Archive an execution or bring it back; False: there is no such execution."""
        ...

    async def add_project(self, project: ProjectRecord) -> bool:
        """Keep a new project; False: there is one of this id."""
        ...

    async def projects(self) -> Sequence[ProjectRecord]:
        """Every project that was made, by id."""
        ...
