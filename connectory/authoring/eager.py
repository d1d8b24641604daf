"""The `@eager` decorator."""

from collections.abc import Callable
from typing import Any

from connectory.authoring.location import authoring_error
from connectory.authoring.task import task

__all__ = ["eager"]


def eager(function: Callable[..., Any] | None = None, /, **settings: Any) -> Any:
    """Make a task of an `async def` whose Python code calls tasks and workflows, and decides by their results.

    It takes the settings of `@task`, and is the same as `@task(is_eager=True)`.
    """
    for name in ("enable_deck", "disable_deck"):
        settings.pop(name, None)
    if function is None:
        return task(is_eager=True, **settings)
    if not callable(function):
        raise authoring_error(f"@eager is given {function!r}; it decorates functions, and takes settings by name only")
    return task(is_eager=True, **settings)(function)
