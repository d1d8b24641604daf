"""The type registry and conversion context that authored code uses when nobody hands it others."""

from functools import cache
from typing import Any

from connectory.types import ConversionContext, TypeRegistry
from connectory.types.engine import process_types

__all__ = ["conversion_context", "describe", "type_registry"]


def type_registry() -> TypeRegistry:
    """The registry of this process, built on first use: the one to which `TypeEngine.register` adds."""
    return process_types()


@cache
def conversion_context() -> ConversionContext:
    """Where values that are too large for a literal go while code runs in plain Python, made on first use."""
    return ConversionContext()


def describe(annotation: Any) -> str:
    """An annotation as its author would write it."""
    if isinstance(annotation, type) and not getattr(annotation, "__args__", None):
        return annotation.__name__
    return str(annotation).replace("typing.", "")
