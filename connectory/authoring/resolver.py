"""How a task is found again in a fresh process: by module and name."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

from connectory.authoring.modules import module_name
from connectory.authoring.own_container import arguments_of
from connectory.errors import AuthoringError
from connectory.v1 import tasks_pb2

__all__ = [
    "EXECUTABLE",
    "DefaultResolver",
    "TaskLocator",
    "TaskResolver",
    "TaskResolverMixin",
    "TemplateLoader",
    "default_task_resolver",
    "imported",
    "load_object",
    "load_resolver",
    "load_task",
    "loader_words",
    "locator_of",
]

EXECUTABLE: Final = "connectory-execute"
_RESOLVER_FLAG: Final = "--resolver"


@runtime_checkable
class TaskResolver(Protocol):
    """Names a task at compile time and loads it again at run time."""

    @property
    def location(self) -> str:
        """The dotted name of this very object, so that another process can import it."""

    def loader_args(self, task: Any) -> list[str]:
        """The words by which `load_task` finds this task. Raises AuthoringError for one that cannot be found again."""

    def load_task(self, loader_args: Sequence[str]) -> Any:
        """The task that these words name."""


@runtime_checkable
class TemplateLoader(Protocol):
    """A resolver whose tasks are made of their template and nothing else."""

    def load_from_template(self, template: tasks_pb2.TaskTemplate, loader_args: Sequence[str]) -> Any:
        """The task that this template is."""


class TaskResolverMixin(ABC):
    """The base of resolvers as Flyte's users write them.

    Assign the instance to a variable at the top level of a module: other processes find the resolver by it.
    """

    @property
    def location(self) -> str:
        """The dotted name of the variable that holds this resolver."""
        return ".".join(_whereabouts(self, what="resolver"))

    def name(self) -> str:
        """What people call it."""
        return type(self).__name__

    @abstractmethod
    def load_task(self, loader_args: Sequence[str]) -> Any:
        """The task that these words name."""

    @abstractmethod
    def loader_args(self, settings: Any, t: Any) -> list[str]:
        """The words by which `load_task` finds this task. `settings` are the settings it is compiled with."""

    def get_all_tasks(self) -> list[Any]:
        """Every task that it can load, where it can tell."""
        return []


class DefaultResolver(TaskResolverMixin):
    """Names a task by its module and the module-level variable that holds it."""

    @property
    def location(self) -> str:
        """The dotted name of the shared instance."""
        return f"{__name__}.default_task_resolver"

    def loader_args(self, settings: Any, t: Any = None) -> list[str]:
        """`task-module M task-name T`. The task may also be the only argument."""
        module, name = _whereabouts(settings if t is None else t)
        return ["task-module", module, "task-name", name]

    def load_task(self, loader_args: Sequence[str]) -> Any:
        """The task in that module under that name."""
        words = list(loader_args)
        if len(words) != 4 or words[0] != "task-module" or words[2] != "task-name":
            raise AuthoringError(f"cannot read {words!r}; expected task-module MODULE task-name NAME")
        return load_task(words[1], words[3])


default_task_resolver = DefaultResolver()
_DEFAULT: Final = default_task_resolver.location


@dataclass(frozen=True, kw_only=True)
class TaskLocator:
    """What a compiled template says about where its code is."""

    resolver: str
    loader_args: tuple[str, ...]
    template: tasks_pb2.TaskTemplate = field(default_factory=tasks_pb2.TaskTemplate, repr=False, compare=False)

    def load(self) -> Any:
        """The task object, imported into this process."""
        if self.resolver == _DEFAULT:
            return default_task_resolver.load_task(self.loader_args)
        resolver = load_resolver(self.resolver)
        from_template = getattr(resolver, "load_from_template", None)
        if callable(from_template):
            return from_template(self.template, self.loader_args)
        return resolver.load_task(self.loader_args)


def loader_words(resolver: TaskResolver | TaskResolverMixin, settings: Any, task: Any) -> list[str]:
    """The words by which a resolver, of either kind, finds a task again."""
    if not callable(getattr(resolver, "loader_args", None)):
        raise AuthoringError(
            f"the task_resolver of '{task.name}' is {resolver!r}; it must have loader_args and load_task"
        )
    if isinstance(resolver, TaskResolverMixin):
        return list(resolver.loader_args(settings, task))
    return list(resolver.loader_args(task))


def load_resolver(location: str) -> Any:
    """The resolver at a dotted name."""
    resolver = load_object(location)
    if not callable(getattr(resolver, "load_task", None)):
        raise AuthoringError(f"'{location}' is no resolver: it has no load_task")
    return resolver


def load_object(location: str) -> Any:
    """What a module holds at a dotted name."""
    module, _, name = location.rpartition(".")
    holder = imported(module) if module else None
    if holder is None or not hasattr(holder, name):
        raise AuthoringError(f"there is nothing at '{location}'; expected MODULE.NAME")
    return getattr(holder, name)


def locator_of(template: tasks_pb2.TaskTemplate) -> TaskLocator | None:
    """Where the code of a task is that runs as Python; None when the template does not name any."""
    words = arguments_of(template)
    if not words or words[0] != EXECUTABLE or _RESOLVER_FLAG not in words or "--" not in words:
        return None
    return TaskLocator(
        resolver=words[words.index(_RESOLVER_FLAG) + 1],
        loader_args=tuple(words[words.index("--") + 1 :]),
        template=template,
    )


def load_task(module: str, name: str) -> Any:
    """The task that a module holds under a name."""
    loaded = imported(module)
    if not hasattr(loaded, name):
        raise AuthoringError(f"module '{module}' has no task '{name}'")
    return getattr(loaded, name)


def imported(module: str) -> Any:
    try:
        __import__(module)  # which is quick for what is imported already, unlike importlib
        return sys.modules[module]
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(error.name + ".")):
            raise AuthoringError(f"module '{module}' is not importable from here; is its root on sys.path?") from error
        raise


def _whereabouts(task: Any, *, what: str = "") -> tuple[str, str]:
    """The module and variable that hold this very object."""
    home = getattr(task, "module", "")
    usual = getattr(getattr(task, "task_function", None), "__name__", "")
    if getattr(sys.modules.get(home), usual, None) is task:
        return _public(home), usual
    for module in dict.fromkeys([home, *sys.modules]):
        for name, value in list(getattr(sys.modules.get(module), "__dict__", {}).items()):
            if value is task and not module.startswith("connectory.authoring"):
                return _public(module), name
    raise AuthoringError(
        f"{f'the {what}' if what else repr(task.name)} is held by no variable at the top level of a module, so another "
        "process could not find it; "
        "define it there, not within a function",
        location=getattr(task, "location", None),
    )


def _public(module: str) -> str:
    """The name under which another process can import a module, also when it is the script that runs."""
    loaded = sys.modules[module]
    file = getattr(loaded, "__file__", None)
    return module_name(Path(file)) if module == "__main__" and file else module
