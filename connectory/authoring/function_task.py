"""A task that is a function."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar, cast

from connectory.authoring.calling import call, native_result, to_literals
from connectory.authoring.delegation import current_delegate
from connectory.authoring.execution import run_task_async
from connectory.authoring.graph import current_graph
from connectory.authoring.location import authoring_error, function_location
from connectory.authoring.modules import module_name
from connectory.authoring.python_task import PythonTask
from connectory.authoring.signature import interface_of

__all__ = ["FunctionTask", "qualified_name"]

P = ParamSpec("P")
R = TypeVar("R")


class FunctionTask(PythonTask[Any], Generic[P, R]):
    """The object that `@task` makes of a function. Calling it keeps the function's own signature."""

    def __init__(self, function: Callable[P, R], *, task_type: str = "python-task", **settings: Any) -> None:
        name = qualified_name(function)
        super().__init__(
            task_type=task_type,
            name=name,
            interface=interface_of(function, name=name),
            location=function_location(function),
            **settings,
        )
        self.task_function = function
        self.module = function.__module__
        functools.update_wrapper(self, function, updated=())

    def execute(self, **kwargs: Any) -> Any:
        """Call the function."""
        return cast("Callable[..., Any]", self.task_function)(**kwargs)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if current_graph() is None and inspect.iscoroutinefunction(self.task_function):
            return cast(R, self._awaitable(args, kwargs))
        return cast(R, call(self, args, kwargs))

    async def _awaitable(self, args: Any, kwargs: Any) -> Any:
        literals = to_literals(self, args, kwargs)
        delegate = current_delegate()
        if delegate is not None:
            return native_result(self, await delegate.run_async(self, literals))
        return native_result(self, await run_task_async(self, literals))


def qualified_name(function: Callable[..., Any]) -> str:
    """Module and name of a function; a script that runs is named after its file."""
    name = getattr(function, "__name__", None)
    module = getattr(function, "__module__", None)
    if not isinstance(name, str) or not isinstance(module, str):
        raise authoring_error(f"{function!r} has no name of its own; decorate a function that is written with def")
    file = getattr(sys.modules.get(module), "__file__", None)
    if module == "__main__" and file:
        module = module_name(Path(file))
    return f"{module}.{name}"
