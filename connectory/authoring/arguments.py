"""Wrong arguments of decorators and of what stands in workflows: errors that point to the user's line."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

from connectory.authoring.location import authoring_error

__all__ = ["nearest", "teaching"]

P = ParamSpec("P")
R = TypeVar("R")


def teaching(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, but arguments that it does not take are an AuthoringError that says what it takes."""

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except TypeError:
            problem = _problem(function, args, kwargs)
            if problem is None:
                raise
        raise authoring_error(problem)

    return called


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?` where one of the known words is alike, and otherwise nothing."""
    from difflib import get_close_matches  # noqa: PLC0415 - only who makes a mistake needs it

    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def _problem(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """What is wrong with the arguments; None when they can be taken."""
    signature = inspect.signature(function)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        unknown = next((name for name in kwargs if name not in signature.parameters), None)
        if unknown is None:
            return f"{function.__qualname__} is called wrongly: {error}"
        names = [
            name for name, one in signature.parameters.items() if one.kind is not one.POSITIONAL_ONLY and name != "cls"
        ]
        return (
            f"{function.__qualname__} takes no '{unknown}'{nearest(unknown, names) or '; it takes ' + ', '.join(names)}"
        )
    return None
