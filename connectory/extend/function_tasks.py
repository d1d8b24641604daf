"""The base of decorated tasks with a config, in the form in which Flyte's plugins are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar

from connectory.authoring.function_task import FunctionTask

__all__ = ["PythonFunctionTask"]

ConfigT = TypeVar("ConfigT")


class PythonFunctionTask(FunctionTask[..., Any], Generic[ConfigT]):
    """A function with a `task_config`; subclasses are registered with `TaskPlugins.register_pythontask_plugin`."""

    def __init__(
        self,
        task_config: ConfigT,
        task_function: Callable[..., Any],
        task_type: str = "python-task",
        **settings: Any,
    ) -> None:
        super().__init__(task_function, task_type=task_type, task_config=task_config, **settings)

    @classmethod
    def from_function(cls, function: Callable[..., Any], *, task_config: Any = None, **settings: Any) -> Self:
        """How `@task` makes one."""
        return cls(task_config=task_config, task_function=function, **settings)
