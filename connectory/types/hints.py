"""The fields of dataclasses with their annotations, resolved once per class."""

import dataclasses
import functools
import typing
from typing import Any

from connectory.errors import TypeConversionError
from connectory.types.describing import describe_annotation

__all__ = ["fields_of", "hints_of"]


@functools.cache
def fields_of(annotation: Any) -> tuple[tuple[dataclasses.Field[Any], Any], ...]:
    """Every field with its annotation. One that cannot be resolved is a `TypeConversionError`.

    The annotations of a generic class are those of its origin with the arguments put in.
    """
    owner = typing.get_origin(annotation) or annotation
    given = dict(zip(getattr(owner, "__parameters__", ()), typing.get_args(annotation), strict=False))
    hints = hints_of(owner)
    return tuple((field, _substituted(hints[field.name], given)) for field in dataclasses.fields(owner))


def hints_of(owner: Any) -> dict[str, Any]:
    """The annotations of a class. One that cannot be resolved is a `TypeConversionError`."""
    try:
        return typing.get_type_hints(owner, include_extras=True)
    except (NameError, TypeError) as error:
        raise TypeConversionError(f"the annotations of {describe_annotation(owner)} mean nothing: {error}") from error


def _substituted(annotation: Any, given: dict[Any, Any]) -> Any:
    if not given:
        return annotation
    if isinstance(annotation, typing.TypeVar):
        return given.get(annotation, annotation)
    parameters = getattr(annotation, "__parameters__", ())
    return annotation[tuple(given.get(one, one) for one in parameters)] if parameters else annotation
