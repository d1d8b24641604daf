"""What a plugin of the runner is: the way in which tasks of certain types are carried out.

The runner drives every attempt of a task in rounds:

1. `handle` is called again and again, with back-off, until it reports a phase that ends the attempt. It must return
   quickly: it begins long work and reports that the work goes on.
2. When the attempt is to end early, or has failed while something of it may still run, `abort` is called until it
   returns without an error: then nothing of the attempt runs any more.
3. `finalize` is called after either of them, whatever the result.

All three must be idempotent: after a crash the runner repeats the round whose end it did not see, with the plugin
state that the last finished round wrote. That may be a `handle` after `finalize`: it must report the same end, and
start nothing. Rounds of one attempt never overlap; rounds of different attempts do.

A plugin may offer to carry an attempt out without rounds as long as nothing is the matter: see `prepare`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from connectory.errors import ConnectoryError
from connectory.v1 import tasks_pb2
from workflow_runner.plugins.context import TaskExecutionContext
from workflow_runner.plugins.memory import PluginStateAccess
from workflow_runner.plugins.phases import Transition
from workflow_runner.plugins.quick import Beginning, Following, QuickRun
from workflow_runner.plugins.setup import SetupContext

__all__ = [
    "Beginning",
    "Following",
    "NotConfirmableError",
    "Plugin",
    "PluginEntry",
    "PluginLoader",
    "PluginProperties",
    "PluginStateAccess",
    "QuickRun",
    "SetupContext",
    "TaskExecutionContext",
]


class NotConfirmableError(ConnectoryError):
    """Raised by `abort`: whether something of the attempt still runs cannot be found out; asking again won't help."""


@dataclass(frozen=True, kw_only=True)
class PluginProperties:
    """What a plugin needs from the runner."""

    disable_node_level_caching: bool = False
    """Never reuse an earlier result of a task that this plugin carries out."""
    reads_references: bool = False
    """Whether inputs may be references to large values in the object store; otherwise they are the values."""
    generated_name_max_length: int | None = None
    """The longest name that it can give to what it creates; at least 8. None: any length."""


class Plugin:
    """Carries out tasks. See the module's text for the obligations."""

    @property
    def properties(self) -> PluginProperties:
        """What it needs from the runner."""
        return PluginProperties()

    async def carries_out(self, template: tasks_pb2.TaskTemplate) -> bool:
        """Whether it can carry this task out, as far as it knows. Asked only of the default plugin, on behalf of one
        that gives way.
        """
        return True

    def prepare(self, ctx: TaskExecutionContext) -> QuickRun | None:
        """What is needed to carry out a new attempt by one call that ends by itself; None: by rounds.

        Nothing of the attempt may happen before it begins: that it is to be made is not written down yet. Asked only
        when `reads_references` holds.
        """
        return None

    def relay(self, run: QuickRun, following: Following) -> bool:
        """Whether a run of this plugin's, once it has succeeded, is followed by another in the very thread.

        Then `following` is called in that thread. When it names a run of this plugin's, that can be seen by the other
        methods from then on, and begins once `following` has returned; whom it names is told of its end, and nobody of
        the end of the one before, which is forgotten. When it names none, the end is told as always. `prepare` is then
        called in that thread, too.
        """
        return False

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        """Bring the attempt forward and report where it stands."""
        raise NotImplementedError

    async def abort(self, ctx: TaskExecutionContext) -> None:
        """End what the attempt started. Return once it is gone; raise to be called again after a while."""

    async def finalize(self, ctx: TaskExecutionContext) -> None:
        """Release what the attempt held."""

    async def let_go(self, ctx: TaskExecutionContext) -> None:
        """This runner drives the attempt no more, another one may: end what runs only here, as Python code does.

        What runs outside goes on. Called between two rounds, when the execution pauses or was taken over.
        """

    async def close(self) -> None:
        """Release what the plugin holds. Attempts that still run are left alone; a later run goes on with them."""


PluginLoader = Callable[[SetupContext], Plugin | Awaitable[Plugin]]
"""Makes the plugin; called lazily, and again when it failed."""


@dataclass(frozen=True, kw_only=True)
class PluginEntry:
    """A plugin in the registry."""

    id: str
    registered_task_types: Sequence[str]
    load_plugin: PluginLoader
    """Called once, when the first task that needs it comes, before anything else is asked of the plugin."""
    claims: Callable[[tasks_pb2.TaskTemplate], bool] | None = None
    """Asked about tasks whose type nobody registered: whether it carries this one out, by what its template says."""
    is_default: bool = False
    """Whether it carries out tasks that nobody else registered or claimed."""
    gives_way: bool = False
    """Whether another plugin of the same type counts before it, and the default where that carries the task out."""
