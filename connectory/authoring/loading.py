"""Finds workflows in a file, importing it so that another process can import it again."""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from connectory.authoring.modules import find_root, module_name
from connectory.authoring.python_task import PythonTask
from connectory.authoring.single_task import as_workflow
from connectory.authoring.workflow import FunctionWorkflow
from connectory.authoring.workflow_base import WorkflowBase
from connectory.errors import AuthoringError

__all__ = ["find_workflow", "find_workflows", "load_module"]


def load_module(path: Path) -> ModuleType:
    """The module in a file, imported under its dotted name relative to its root, which is put on `sys.path`.

    The root is the folder above the file's topmost package, or the file's own folder. Raises AuthoringError for a
    file that is not there, or whose name another module has already; what the file itself raises comes out as it is.
    """
    if path.suffix != ".py" or not path.is_file():
        raise AuthoringError(f"{path} is not a Python file")
    root, name = str(find_root(path)), module_name(path)
    if not path.stem.isidentifier() or not all(part.isidentifier() for part in name.split(".")):
        raise AuthoringError(f"{path} cannot be imported as '{name}'; use letters, digits and _ in file names")
    if name.partition(".")[0] in sys.stdlib_module_names:
        raise AuthoringError(f"{path} would be imported as '{name}', which hides a module of Python; rename the file")
    added = root not in sys.path
    if added:
        sys.path.insert(0, root)
    try:
        return _imported(path, name)
    except BaseException:
        if added:
            sys.path.remove(root)
        raise


def _imported(path: Path, name: str) -> ModuleType:
    importlib.invalidate_caches()
    module = importlib.import_module(name)
    found = getattr(module, "__file__", None)
    if found is None or Path(found).resolve() != path.resolve():
        raise AuthoringError(
            f"{path} would be imported as '{name}', but that is {found or 'a builtin'}; rename the file"
        )
    return module


def find_workflows(module: ModuleType) -> Sequence[WorkflowBase]:
    """The workflows that are defined in a module, in the order of their definition."""
    found = {id(value): value for value in vars(module).values() if isinstance(value, WorkflowBase)}
    return [workflow for workflow in found.values() if _home(workflow) == module.__name__]


def _home(workflow: WorkflowBase) -> str:
    home: str = (
        workflow.function.__module__ if isinstance(workflow, FunctionWorkflow) else getattr(workflow, "module", "")
    )
    return home


def find_workflow(module: ModuleType, name: str | None = None) -> WorkflowBase:
    """The workflow of this name, or the only one; a task of this name is wrapped in a workflow of one node.

    Raises AuthoringError that lists the candidates.
    """
    workflows = find_workflows(module)
    if name is None:
        if len(workflows) == 1:
            return workflows[0]
        tasks = [] if workflows else _tasks(module)
        if len(tasks) == 1:
            return as_workflow(tasks[0])
        raise AuthoringError(f"{module.__file__} has {_count(workflows)}; name one{_candidates(module)}")
    entity = getattr(module, name, None)
    if isinstance(entity, WorkflowBase):
        return entity
    if isinstance(entity, PythonTask):
        return as_workflow(entity)
    raise AuthoringError(f"{module.__file__} has no workflow or task '{name}'{_candidates(module)}")


def _tasks(module: ModuleType) -> list[PythonTask[Any]]:
    return list({id(value): value for value in vars(module).values() if isinstance(value, PythonTask)}.values())


def _count(workflows: Sequence[WorkflowBase]) -> str:
    return f"{len(workflows)} workflows" if workflows else "no workflow"


def _candidates(module: ModuleType) -> str:
    workflows = ", ".join(workflow.short_name for workflow in find_workflows(module))
    tasks = ", ".join(name for name, value in vars(module).items() if isinstance(value, PythonTask))
    listed = [f"workflows: {workflows}" if workflows else "", f"tasks: {tasks}" if tasks else ""]
    return "".join(f"; {part}" for part in listed if part)
