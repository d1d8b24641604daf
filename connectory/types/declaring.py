"""Declared types of classes that are parts of themselves: inside of its own declaration, a class is cut short."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from connectory.types.registry import TypeRegistry

__all__ = ["declaring", "is_inside_itself"]


@dataclass
class _Declaration:
    """The classes whose fields are being declared, from the outside in."""

    open: list[Any] = field(default_factory=list)
    cut_short: bool = False


_current: ContextVar[_Declaration | None] = ContextVar("connectory_declaration", default=None)


def is_inside_itself(annotation: Any) -> bool:
    """Whether a class is asked for by one of its own fields; what is answered then is kept nowhere."""
    declaration = _current.get()
    if declaration is None or annotation not in declaration.open:
        return False
    declaration.cut_short = True
    return True


@contextmanager
def declaring(annotation: Any, types: TypeRegistry) -> Iterator[None]:
    """While this is entered, the fields of the class are declared."""
    declaration = _current.get()
    token = None
    if declaration is None:
        declaration = _Declaration()
        token = _current.set(declaration)
    declaration.open.append(annotation)
    try:
        yield
    finally:
        declaration.open.pop()
        if token is not None:
            _current.reset(token)
            if declaration.cut_short:
                types.forget_declared()
