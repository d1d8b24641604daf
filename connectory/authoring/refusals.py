"""Values that a message cannot hold, as errors that say so and point to the user's line."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, TypeVar

from connectory.authoring.location import authoring_error, is_ours
from connectory.errors import ConnectoryError

__all__ = ["refusing"]

P = ParamSpec("P")
R = TypeVar("R")


def refusing(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, but what this package itself cannot do with what it was given is an AuthoringError.

    What the user's code raises, or what it calls, comes out as it is.
    """

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except ConnectoryError:
            raise
        except Exception as error:
            if not _raised_here(error.__traceback__):
                raise
            name = getattr(args[0], "name", None) if args else None
            whose = f" of '{name}'" if isinstance(name, str) else ""
            location = getattr(args[0], "location", None) if args else None
            if isinstance(error, RecursionError):
                text = f"what is called{whose} is nested too deeply: workflows in workflows, or values in values"
                raise authoring_error(text, location=location if isinstance(location, str) else None) from error
            raise authoring_error(
                f"something in the settings{whose} cannot be written as a message: {type(error).__name__}: {error}",
                location=location if isinstance(location, str) else None,
            ) from error

    return called


def _raised_here(traceback: TracebackType | None) -> bool:
    """Whether the innermost frame is this package's, as it is when a message or a built-in refused a value."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and is_ours(traceback.tb_frame.f_code.co_filename)
