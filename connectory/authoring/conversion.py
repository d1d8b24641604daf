"""The type registry and conversion context that authored code uses when nobody hands it others."""

from contextvars import ContextVar
from functools import cache
from typing import Any

from connectory.authoring.given import Given
from connectory.types import ConversionContext, TypeRegistry
from connectory.types.engine import process_types

__all__ = ["conversion_context", "converting", "describe", "type_registry"]


def type_registry() -> TypeRegistry:
    """The registry of this process, built on first use: the one to which `TypeEngine.register` adds."""
    return process_types()


def conversion_context() -> ConversionContext:
    """Where values that are too large for a literal go while code is wired together, or runs in plain Python."""
    return _given.get() or _plain()


def converting(conversion: ConversionContext) -> Given:
    """While this is entered, values go where this context says."""
    return Given((_given, conversion))


@cache
def _plain() -> ConversionContext:
    return ConversionContext()


_given: ContextVar[ConversionContext | None] = ContextVar("connectory_conversion", default=None)


def describe(annotation: Any) -> str:
    """An annotation as its author would write it."""
    if isinstance(annotation, type) and not getattr(annotation, "__args__", None):
        return annotation.__name__
    return str(annotation).replace("typing.", "")
