"""The mirrors of dataclasses. Parts that msgspec reads and writes as their families do pass through it as they are.

That is so for a family as it is built in: whoever registers another transformer for `int` has his way. Other parts are
converted one by one, as they would be without a mirror.
"""

import typing
from collections.abc import Callable, Mapping
from types import GenericAlias
from typing import Annotated, Any, Final

import msgspec

from connectory.types.choices import ChoiceTransformer
from connectory.types.collections import DictTransformer, ListTransformer
from connectory.types.context import ConversionContext
from connectory.types.enums import EnumTransformer
from connectory.types.extras import bare
from connectory.types.hints import fields_of
from connectory.types.mirrors import REFUSALS, Convert, Mirror, Part, UnfitError
from connectory.types.plain import TextTransformer, TupleTransformer
from connectory.types.registry import TypeRegistry
from connectory.types.scalars import (
    BoolTransformer,
    BytesTransformer,
    FloatTransformer,
    IntTransformer,
    NoneTransformer,
    StrTransformer,
)
from connectory.types.temporal import DatetimeTransformer, DateTransformer, TimedeltaTransformer
from connectory.types.transformer import TypeTransformer
from connectory.types.unions import UnionTransformer

__all__ = ["mirror_of"]

Family = type[TypeTransformer]

_AS_IT_IS: Final[Mapping[Family, Any]] = {
    IntTransformer: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)],
    FloatTransformer: float,
    StrTransformer: str,
    BoolTransformer: bool,
    BytesTransformer: bytes,
    NoneTransformer: None,
}
_CONVERTED: Final[Mapping[Family, Any]] = {
    DatetimeTransformer: str,
    DateTransformer: str,
    TimedeltaTransformer: float,
    TextTransformer: str,
    ChoiceTransformer: Any,
}
"""Families whose values are converted one by one, without an effect on anything else, and what they are written as."""


def mirror_of(annotation: Any, types: TypeRegistry, structures: Family) -> Mirror | None:
    """The mirror of a dataclass; None where msgspec cannot have one. `structures` is the family of dataclasses."""
    try:
        return _Builder(types, structures).mirror(annotation)
    except (UnfitError, *REFUSALS):
        return None


class _Builder:
    """One mirror in the making, with those of the dataclasses inside. `structures` is the family of dataclasses."""

    def __init__(self, types: TypeRegistry, structures: Family) -> None:
        self._types = types
        self._open: list[Any] = []
        self._generic: dict[Family, Callable[[Any], Part]] = {
            structures: self._structure,
            ListTransformer: self._list,
            DictTransformer: self._dict,
            TupleTransformer: self._tuple,
            UnionTransformer: self._union,
            EnumTransformer: lambda annotation: Part(annotation),
        }

    def mirror(self, annotation: Any) -> Mirror:
        if annotation in self._open:  # a part of itself
            raise UnfitError
        self._open.append(annotation)
        try:
            return Mirror(annotation, {field.name: self._part(hint) for field, hint in fields_of(annotation)})
        finally:
            self._open.pop()

    def _part(self, hint: Any) -> Part:
        transformer, annotation = self._types.transformer_for(hint), bare(hint)
        family = type(transformer)
        if family in _AS_IT_IS:
            return Part(_AS_IT_IS[family])
        if family in _CONVERTED:
            return Part(_CONVERTED[family], *self._one_by_one(transformer, annotation))
        if family in self._generic:
            try:
                part = self._generic[family](annotation)
                msgspec.msgpack.Decoder(part.wire)  # some unions are too much for it
                return part
            except (UnfitError, *REFUSALS):
                pass
        types = self._types
        return Part(Any, lambda data, ctx: types.from_plain(data, hint, ctx), writes=False)

    def _one_by_one(self, transformer: TypeTransformer, annotation: Any) -> tuple[Convert, Convert]:
        types = self._types
        return (
            lambda data, ctx: transformer.from_plain(data, annotation, types, ctx),
            lambda value, ctx: transformer.to_plain(value, annotation, types, ctx),
        )

    def _structure(self, annotation: Any) -> Part:
        mirror = self.mirror(annotation)
        return Part(mirror.structure, mirror.restore, mirror.reflect, mirror.writes)

    def _list(self, annotation: Any) -> Part:
        wire, read, write, writes = self._part(*_arguments(annotation, 1))
        return Part(GenericAlias(list, (wire,)), read and _each(read), write and _each(write), writes)

    def _dict(self, annotation: Any) -> Part:
        key, item = _arguments(annotation, 2)
        if type(self._types.transformer_for(key)) not in (StrTransformer, IntTransformer):
            raise UnfitError
        wire, read, write, writes = self._part(item)
        wires = GenericAlias(dict, (self._part(key).wire, wire))
        return Part(wires, read and _values(read), write and _values(write), writes)

    def _tuple(self, annotation: Any) -> Part:
        arguments = typing.get_args(annotation)
        parts = [self._part(argument) for argument in arguments if argument is not Ellipsis]
        if not parts or any(part.read for part in parts):
            raise UnfitError
        wires = (*(part.wire for part in parts), *(one for one in arguments if one is Ellipsis))
        return Part(GenericAlias(tuple, wires))

    def _union(self, annotation: Any) -> Part:
        parts = [self._part(argument) for argument in typing.get_args(annotation)]
        if any(map(_is_fixed_tuple, parts)) and _AS_IT_IS[IntTransformer] in [part.wire for part in parts]:
            raise UnfitError  # msgspec 0.22 crashes over a bounded int beside a tuple of a fixed length
        wire: Any = typing.Union[tuple(part.wire for part in parts)]  # noqa: UP007 - made at run time
        converted = [part for part in parts if part.read]
        if not converted:
            return Part(wire)
        if len(parts) != 2 or not any(part.wire is None for part in parts):
            raise UnfitError
        one = converted[0]
        return Part(wire, _unless_none(one.read), _unless_none(one.write), one.writes)


def _is_fixed_tuple(part: Part) -> bool:
    return typing.get_origin(part.wire) is tuple and Ellipsis not in typing.get_args(part.wire)


def _arguments(annotation: Any, count: int) -> tuple[Any, ...]:
    arguments = typing.get_args(annotation)
    if len(arguments) != count:
        raise UnfitError
    return arguments


def _each(convert: Convert) -> Convert:
    def converted(values: Any, ctx: ConversionContext) -> list[Any]:
        if not isinstance(values, list):
            raise UnfitError
        return [convert(value, ctx) for value in values]

    return converted


def _values(convert: Convert) -> Convert:
    def converted(values: Any, ctx: ConversionContext) -> dict[Any, Any]:
        if not isinstance(values, dict):
            raise UnfitError
        return {key: convert(value, ctx) for key, value in values.items()}

    return converted


def _unless_none(convert: Convert | None) -> Convert | None:
    return convert and (lambda value, ctx: None if value is None else convert(value, ctx))
