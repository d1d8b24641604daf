"""Where in the user's code something was written, so that errors can point there."""

import dataclasses
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any

from connectory.errors import AuthoringError

__all__ = ["authoring_error", "function_location", "is_ours", "pointing_to", "user_location"]

_PACKAGE = str(Path(__file__).parent.parent) + "/"
_LIBRARY = frozenset({dataclasses.__file__, functools.__file__})
"""Files of Python itself that stand between the user's code and this package."""


_POINTED: ContextVar[str | None] = ContextVar("connectory_location", default=None)


@contextmanager
def pointing_to(location: str | None) -> Iterator[None]:
    """Let errors point there: what is looked at was written earlier, and the line that runs now is another's."""
    token = _POINTED.set(location)
    try:
        yield
    finally:
        _POINTED.reset(token)


def user_location() -> str | None:
    """`file:line` of the nearest caller outside this package; None when there is none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return None if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def function_location(function: Callable[..., Any]) -> str | None:
    """`file:line` of a function's definition; None when it has no Python source (a builtin, a C function)."""
    try:
        code = getattr(inspect.unwrap(function), "__code__", None)
    except ValueError:  # it wraps itself
        return None
    return None if code is None else f"{code.co_filename}:{code.co_firstlineno}"


def authoring_error(message: str, *, location: str | None = None) -> AuthoringError:
    """The error that points to `location`, or else to the user's line that is running now."""
    return AuthoringError(message, location=location or _POINTED.get() or user_location())


@functools.cache
def is_ours(filename: str) -> bool:
    """Whether a file is a part of this package, or of Python where that stands between it and its users."""
    return filename.startswith((_PACKAGE, "<frozen", "<string>")) or filename in _LIBRARY
