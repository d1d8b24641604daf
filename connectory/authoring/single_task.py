"""A workflow of one node, so that a task can be run by itself."""

from typing import Any

from connectory.authoring.python_task import PythonTask
from connectory.authoring.workflow import FunctionWorkflow

__all__ = ["as_workflow"]


def as_workflow(task: PythonTask[Any]) -> FunctionWorkflow[..., Any]:
    """A workflow that has the task's interface, defaults included, and does nothing but call it."""
    interface = task.interface

    def body(**inputs: Any) -> Any:
        return task(**inputs)

    module, _, short = task.name.rpartition(".")
    body.__module__ = module or task.module
    body.__name__ = body.__qualname__ = f"run_{short}"
    return FunctionWorkflow(body, interface=interface, location=task.location)
