"""A task that is an object of a class with an `execute` of its own."""

from __future__ import annotations

from typing import Any, TypeVar

from connectory.authoring.python_task import PythonTask

__all__ = ["PythonInstanceTask"]

ConfigT = TypeVar("ConfigT")


class PythonInstanceTask(PythonTask[ConfigT]):
    """The base of task classes whose work the class itself knows, so that users write no function.

    Assign instances to a variable at the top level of a module. A subclass implements `execute`.
    """

    def __init__(
        self,
        name: str,
        task_config: ConfigT | None = None,
        task_type: str = "python-task",
        **settings: Any,
    ) -> None:
        super().__init__(task_type=task_type, name=name, task_config=task_config, **settings)
