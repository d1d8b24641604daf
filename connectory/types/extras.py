"""What `Annotated[T, ...]` says beside the type."""

import types as python_types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

from connectory.errors import TypeConversionError
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["CACHE_KEY", "HashMethod", "TypeNote", "bare", "extras_of", "mark", "noted"]

CACHE_KEY: Final = "cache-key-metadata"

T = TypeVar("T")


class HashMethod(Generic[T]):
    """How values of an annotation are hashed, for caches: `Annotated[DataFrame, HashMethod(function)]`.

    The function takes the value and answers text; equal text means that a cached result may be used. The text is
    recorded in the literal.
    """

    def __init__(self, function: Callable[[T], str]) -> None:
        self._function = function

    def calculate(self, value: T) -> str:
        """The hash of a value."""
        return self._function(value)


class TypeNote:
    """Data that is recorded with the declared type: `Annotated[int, TypeNote({"unit": "kelvin"})]`."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = dict(data)


def bare(annotation: Any) -> Any:
    """An annotation without `Annotated`, and with None as its type."""
    if annotation is None:
        return python_types.NoneType
    return annotation.__origin__ if typing.get_origin(annotation) is typing.Annotated else annotation


def extras_of(annotation: Any) -> tuple[Any, ...]:
    """What `Annotated` adds to the type, in the order in which it is written."""
    return annotation.__metadata__ if typing.get_origin(annotation) is typing.Annotated else ()


def mark(literal: literals_pb2.Literal, value: Any, extras: tuple[Any, ...]) -> literals_pb2.Literal:
    """The literal with the hash that the extras ask for: the first method counts."""
    for extra in extras:
        if isinstance(extra, HashMethod):
            literal.hash = _hashed(extra, value)
            break
    return literal


def noted(literal_type: types_pb2.LiteralType, extras: tuple[Any, ...]) -> types_pb2.LiteralType:
    """The declared type with the note that the extras have for it."""
    notes = [extra for extra in extras if isinstance(extra, TypeNote)]
    if not notes:
        return literal_type
    if len(notes) > 1:
        raise TypeConversionError("an annotation has one TypeNote at most")
    if CACHE_KEY in notes[0].data:
        raise TypeConversionError(f"a TypeNote cannot have the key {CACHE_KEY!r}: it says how values are written")
    result = types_pb2.LiteralType()
    result.CopyFrom(literal_type)  # the transformer's may be shared
    result.annotation.annotations.update(notes[0].data)
    return result


def _hashed(method: HashMethod[Any], value: Any) -> str:
    try:
        text = method.calculate(value)
    except Exception as error:  # whatever the author's function raises
        raise TypeConversionError(f"the value cannot be hashed: {type(error).__name__}: {error}") from error
    if isinstance(text, str):
        return text
    raise TypeConversionError(f"the hash of a value must be str, and the HashMethod answers {type(text).__qualname__}")
