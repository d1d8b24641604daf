"""Tasks whose Python code drives others: it calls them, awaits their results, and decides what comes next."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar, cast

from connectory.authoring.delegation import current_delegate, delegated
from connectory.authoring.function_task import FunctionTask
from connectory.authoring.local_engine import local_engine
from connectory.authoring.location import authoring_error, function_location
from connectory.authoring.metadata import TaskMetadata

__all__ = ["EagerTask"]

P = ParamSpec("P")
R = TypeVar("R")


class EagerTask(FunctionTask[P, R]):
    """An `async def` that calls tasks and workflows as functions; each call is a node."""

    def __init__(self, function: Callable[P, R], *, metadata: TaskMetadata | None = None, **settings: Any) -> None:
        if not inspect.iscoroutinefunction(function):
            raise authoring_error(
                f"@eager is given '{getattr(function, '__name__', function)}', which is no async def",
                location=function_location(function),
            )
        metadata = replace(metadata or TaskMetadata(), is_eager=True, generates_deck=True)
        super().__init__(cast(Callable[P, R], function), metadata=metadata, **settings)

    def execute(self, **kwargs: Any) -> Any:
        """Call the function; what it calls is run as nodes, here, unless somebody else is to run it."""
        return self._driving(kwargs)

    async def _driving(self, inputs: Mapping[str, Any]) -> Any:
        if current_delegate() is not None:
            return await super().execute(**inputs)
        with delegated(local_engine()):
            return await super().execute(**inputs)
