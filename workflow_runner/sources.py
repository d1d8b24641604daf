"""What a task's own code says, as far as that tells one version of it from another."""

import hashlib
import inspect
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

from connectory.authoring.map_item import MapItem
from connectory.authoring.resolver import locator_of
from connectory.v1 import tasks_pb2

__all__ = ["SOURCE_FIELD", "mark_sources"]

SOURCE_FIELD: Final = "connectory.source"
"""The field of a template's config that holds a digest of the task's source text."""


def mark_sources(templates: Iterable[tasks_pb2.TaskTemplate]) -> None:
    """Note in each template what the source of its function is, where there is one to be read."""
    for template in templates:
        function = _function(template)
        digest = _digest(function) if function is not None else ""
        if digest:
            template.config[SOURCE_FIELD] = digest


def _function(template: tasks_pb2.TaskTemplate) -> Callable[..., Any] | None:
    locator = locator_of(template)
    if locator is None:
        return None
    try:
        task = locator.load()
    except Exception:  # resolvers, and modules that they import, are other people's code
        return None
    target = task.target if isinstance(task, MapItem) else task
    function: Callable[..., Any] | None = getattr(target, "task_function", None)
    return function


@lru_cache(maxsize=4096)
def _digest(function: Callable[..., Any]) -> str:
    try:
        return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]
    except (OSError, TypeError):
        return ""
