"""Dataclasses read and written all at once.

A mirror is a structure of msgspec with the fields of a dataclass. What fits it exactly passes through it in a few
steps; anything else is left to the usual way, which converts part by part and says what is wrong.
"""

import inspect
import operator
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.hints import fields_of

__all__ = ["REFUSALS", "Convert", "Mirror", "Part", "UnfitError"]

Convert = Callable[[Any, ConversionContext], Any]

REFUSALS: Final = (
    msgspec.MsgspecError,
    TypeConversionError,
    AttributeError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What a part that does not fit raises."""


class UnfitError(Exception):
    """A value, or data, that a mirror does not take. It may be right all the same."""


class Part(NamedTuple):
    """A part of a structure. Without conversions, what msgspec reads is the value."""

    wire: Any
    """The type that msgspec reads and writes."""
    read: Convert | None = None
    write: Convert | None = None
    writes: bool = True
    """Whether it may be written like this: what stores content elsewhere is not tried twice."""


class Mirror:
    """How the values of one dataclass pass through msgspec. `parts` are all its fields, by name and in order."""

    def __init__(self, annotation: Any, parts: Mapping[str, Part]) -> None:
        wires: list[Any] = [(name, part.wire) for name, part in parts.items()]
        self.structure: Any = msgspec.defstruct("Mirror", wires, forbid_unknown_fields=True)
        self.reflect = _reflecting(annotation, self.structure, parts)
        """A value's parts in the mirror, which are not looked at yet."""
        self.writes = all(part.writes for part in parts.values())
        """Whether values can be written, too."""
        self.restore = _restoring(annotation, parts)
        """The value whose parts are in the mirror."""
        self._decode = msgspec.msgpack.Decoder(self.structure).decode
        self._encode = msgspec.msgpack.Encoder().encode

    def pack(self, value: Any, ctx: ConversionContext) -> bytes:
        """A value as msgpack. One that is not, part by part, exactly what is declared is an `UnfitError`."""
        try:
            given = self.reflect(value, ctx)
            taken = self._decode(self._encode(given))
            if taken == given:
                return self._encode(taken)
        except REFUSALS as error:
            raise UnfitError from error
        raise UnfitError

    def unpack(self, data: bytes, ctx: ConversionContext) -> Any:
        """The value that was written by `pack`. Data that it would not have written like this is an `UnfitError`."""
        try:
            taken = self._decode(data)
            if self._encode(taken) == data:
                return self.restore(taken, ctx)
        except Exception as error:  # whatever the class itself raises
            raise UnfitError from error
        raise UnfitError


def _reflecting(annotation: Any, structure: Any, parts: Mapping[str, Part]) -> Convert:
    owner, parts_of = typing.get_origin(annotation) or annotation, _getter(parts)
    conversions = [(index, part.write) for index, part in enumerate(parts.values()) if part.write]

    def reflected(value: Any, ctx: ConversionContext) -> Any:
        if not isinstance(value, owner):
            raise UnfitError
        return structure(*_converted(parts_of(value), conversions, ctx) if conversions else parts_of(value))

    return reflected


def _restoring(annotation: Any, parts: Mapping[str, Part]) -> Convert:
    make, parts_of = _maker(annotation), _getter(parts)
    conversions = [(index, part.read) for index, part in enumerate(parts.values()) if part.read]
    if conversions:
        return lambda reflected, ctx: make(*_converted(parts_of(reflected), conversions, ctx))
    return lambda reflected, ctx: make(*parts_of(reflected))


def _converted(
    parts: Sequence[Any], conversions: Sequence[tuple[int, Convert]], ctx: ConversionContext
) -> Sequence[Any]:
    converted = list(parts)
    for index, convert in conversions:
        converted[index] = convert(converted[index], ctx)
    return converted


def _getter(names: Iterable[str]) -> Callable[[Any], Sequence[Any]]:
    several = tuple(names)
    if len(several) > 1:
        return operator.attrgetter(*several)
    return lambda holder: [getattr(holder, name) for name in several]


def _maker(annotation: Any) -> Callable[..., Any]:
    """What makes a value of all its parts: the class itself, which is fastest, where it takes just these in order."""
    fields = [field for field, _ in fields_of(annotation)]
    taken = inspect.signature(typing.get_origin(annotation) or annotation).parameters.values()
    expected = [(field.name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for field in fields if field.init]
    if len(expected) == len(fields) and [(one.name, one.kind) for one in taken] == expected:
        return annotation  # type: ignore[no-any-return]
    named = [(index, field.name) for index, field in enumerate(fields) if field.init]
    return lambda *parts: annotation(**{name: parts[index] for index, name in named})
