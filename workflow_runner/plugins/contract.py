"""What a plugin of the runner is: the way in which tasks of certain types are carried out.

The runner drives every attempt of a task in rounds:

1. `handle` is called again and again, with back-off, until it reports a phase that ends the attempt. It must return
   quickly: it begins long work and reports that the work goes on.
2. When the attempt is to end early, or has failed while something of it may still run, `abort` is called until it
   returns without an error: then nothing of the attempt runs any more.
3. `finalize` is called after either of them, whatever the result.

All three must be idempotent: after a crash the runner repeats the round whose end it did not see, with the plugin
state that the last finished round wrote. Rounds of one attempt never overlap; rounds of different attempts do.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from connectory.errors import ConnectoryError
from connectory.secrets import Secrets, default_secrets
from connectory.v1 import connector_pb2, literals_pb2, tasks_pb2
from workflow_runner.plugins.phases import Transition

__all__ = [
    "NotConfirmableError",
    "Plugin",
    "PluginEntry",
    "PluginProperties",
    "PluginStateAccess",
    "SetupContext",
    "TaskExecutionContext",
]

StateT = TypeVar("StateT")


class NotConfirmableError(ConnectoryError):
    """Raised by `abort`: whether something of the attempt still runs cannot be found out; asking again won't help."""


class PluginStateAccess(Protocol):
    """What a plugin remembers of an attempt from one round to the next, over restarts too."""

    def read(self, kind: type[StateT]) -> StateT | None:
        """What an earlier round wrote, as a dataclass or msgspec.Struct; None when none wrote anything."""
        ...

    def write(self, state: object, *, version: int = 1) -> None:
        """Remember this instead. Kept when the round ends, and read from the next round on."""
        ...

    @property
    def version(self) -> int:
        """The version that the state was written with; 0 when there is none."""
        ...


@dataclass(frozen=True, kw_only=True)
class TaskExecutionContext:
    """One attempt of one task."""

    execution: str
    node: str
    attempt: int
    key: str
    """The same for every round of this attempt and for no other attempt, ever."""
    template: tasks_pb2.TaskTemplate
    inputs: literals_pb2.LiteralMap
    metadata: connector_pb2.TaskExecutionMetadata
    """Who this is, in the words of the wire; with the overrides that the node brings."""
    output_prefix: str
    """Where the attempt may put what it writes, as an object store URL; empty: nowhere."""
    resumed: bool
    """Whether an earlier run of the runner may already have called the plugin for this attempt."""
    state: PluginStateAccess
    wake: Callable[[], None]
    """Call it, from the event loop, to have the next round begin at once."""


@dataclass(frozen=True, kw_only=True)
class PluginProperties:
    """What a plugin needs from the runner."""

    disable_node_level_caching: bool = False
    """Never reuse an earlier result of a task that this plugin carries out."""
    generated_name_max_length: int | None = None
    """The longest name that it can give to what it creates; at least 8. None: any length."""


@dataclass(frozen=True, kw_only=True)
class SetupContext:
    """What a plugin may use when it is loaded."""

    secrets: Secrets = field(default_factory=default_secrets)


class Plugin:
    """Carries out tasks. See the module's text for the obligations."""

    @property
    def properties(self) -> PluginProperties:
        """What it needs from the runner. Read once, when it is loaded."""
        return PluginProperties()

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        """Bring the attempt forward and report where it stands."""
        raise NotImplementedError

    async def abort(self, ctx: TaskExecutionContext) -> None:
        """End what the attempt started. Return once it is gone; raise to be called again after a while."""

    async def finalize(self, ctx: TaskExecutionContext) -> None:
        """Release what the attempt held."""

    async def close(self) -> None:
        """Release what the plugin holds. Attempts that still run are left alone; a later run goes on with them."""


PluginLoader = Callable[[SetupContext], Plugin | Awaitable[Plugin]]


@dataclass(frozen=True, kw_only=True)
class PluginEntry:
    """A plugin in the registry."""

    id: str
    registered_task_types: Sequence[str]
    load: PluginLoader
    """Called once, when the first task that needs it comes."""
    claims: Callable[[tasks_pb2.TaskTemplate], bool] | None = None
    """Asked about tasks whose type nobody registered: whether it carries this one out, by what its template says."""
    is_default: bool = False
    """Whether it carries out tasks that nobody else registered or claimed."""
