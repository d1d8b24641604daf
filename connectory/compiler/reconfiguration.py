"""Tasks whose config a node overrides."""

import copy
from collections.abc import Sequence
from typing import Any, cast

from connectory.authoring.map_task import MapTask
from connectory.authoring.python_task import PythonTask
from connectory.authoring.resolver import TaskResolverMixin, loader_words

__all__ = ["reconfigured"]


def reconfigured(task: PythonTask[Any] | MapTask, config: Any) -> Any:
    """The task as it would be with another config; the task itself stays as it is."""
    changed = copy.copy(task)
    if isinstance(changed, MapTask):
        changed.target = reconfigured(changed.target, config)
    else:
        changed.task_config = config
        changed.task_resolver = _ResolverOf(cast(PythonTask[Any], task))
    return changed


class _ResolverOf(TaskResolverMixin):
    """Names the task that a changed copy was made of, since that is what other processes find."""

    def __init__(self, task: PythonTask[Any]) -> None:
        self._task = task

    @property
    def location(self) -> str:
        """The dotted name of the task's own resolver."""
        return self._task.task_resolver.location

    def loader_args(self, settings: Any, t: Any) -> list[str]:
        """The words by which that one finds the task."""
        return loader_words(self._task.task_resolver, settings, self._task)

    def load_task(self, loader_args: Sequence[str]) -> Any:
        """The task, found by its own resolver."""
        return self._task.task_resolver.load_task(loader_args)
