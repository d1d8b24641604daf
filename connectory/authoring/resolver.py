"""How a task is found again in a fresh process: by module and name."""

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from connectory.authoring.modules import module_name
from connectory.errors import AuthoringError
from connectory.v1 import tasks_pb2

__all__ = ["DefaultResolver", "TaskLocator", "TaskResolver", "default_task_resolver", "load_task", "locator_of"]

EXECUTABLE = "connectory-execute"
_RESOLVER_FLAG = "--resolver"


class TaskResolver(Protocol):
    """Names a task at compile time and loads it again at run time."""

    @property
    def location(self) -> str:
        """The dotted name of this very object, so that another process can import it."""

    def loader_args(self, task: Any) -> list[str]:
        """The words by which `load_task` finds this task. Raises AuthoringError for one that cannot be found again."""

    def load_task(self, loader_args: Sequence[str]) -> Any:
        """The task that these words name."""


class DefaultResolver:
    """Names a task by its module and the module-level variable that holds it."""

    @property
    def location(self) -> str:
        """The dotted name of the shared instance."""
        return f"{__name__}.default_task_resolver"

    def loader_args(self, task: Any) -> list[str]:
        """`task-module M task-name T`."""
        module, name = _whereabouts(task)
        return ["task-module", module, "task-name", name]

    def load_task(self, loader_args: Sequence[str]) -> Any:
        """The task in that module under that name."""
        words = list(loader_args)
        if len(words) != 4 or words[0] != "task-module" or words[2] != "task-name":
            raise AuthoringError(f"cannot read {words!r}; expected task-module MODULE task-name NAME")
        return load_task(words[1], words[3])


default_task_resolver = DefaultResolver()


@dataclass(frozen=True, kw_only=True)
class TaskLocator:
    """What a compiled template says about where its code is."""

    resolver: str
    loader_args: tuple[str, ...]

    def load(self) -> Any:
        """The task object, imported into this process."""
        module, _, name = self.resolver.rpartition(".")
        resolver: TaskResolver = getattr(_imported(module), name)
        return resolver.load_task(self.loader_args)


def locator_of(template: tasks_pb2.TaskTemplate) -> TaskLocator | None:
    """Where the code of a task is that runs as Python; None when the template does not name any."""
    words = list(template.container.args)
    if not words or words[0] != EXECUTABLE or _RESOLVER_FLAG not in words or "--" not in words:
        return None
    return TaskLocator(
        resolver=words[words.index(_RESOLVER_FLAG) + 1], loader_args=tuple(words[words.index("--") + 1 :])
    )


def load_task(module: str, name: str) -> Any:
    """The task that a module holds under a name."""
    loaded = _imported(module)
    if not hasattr(loaded, name):
        raise AuthoringError(f"module '{module}' has no task '{name}'")
    return getattr(loaded, name)


def _imported(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(error.name + ".")):
            raise AuthoringError(f"module '{module}' is not importable from here; is its root on sys.path?") from error
        raise


def _whereabouts(task: Any) -> tuple[str, str]:
    """The module and variable that hold this very task object."""
    home = getattr(task, "module", "")
    for module in dict.fromkeys([home, *sys.modules]):
        for name, value in list(getattr(sys.modules.get(module), "__dict__", {}).items()):
            if value is task and not module.startswith("connectory.authoring"):
                return _public(module), name
    raise AuthoringError(
        f"'{task.name}' is held by no variable at the top level of a module, so another process could not find it; "
        "define it there, not within a function",
        location=getattr(task, "location", None),
    )


def _public(module: str) -> str:
    """The name under which another process can import a module, also when it is the script that runs."""
    loaded = sys.modules[module]
    file = getattr(loaded, "__file__", None)
    return module_name(Path(file)) if module == "__main__" and file else module
