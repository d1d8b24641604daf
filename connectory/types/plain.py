"""Types that cross as fields of dataclasses only: tuples, sets, times of day, UUID, Decimal and Path."""

import typing
from collections.abc import Callable
from datetime import time
from decimal import Decimal, InvalidOperation
from pathlib import PurePath
from typing import Any, ClassVar, Final
from uuid import UUID

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_annotation, describe_value, nested
from connectory.types.registry import TypeRegistry
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["SetTransformer", "StructureOnlyError", "TextTransformer", "TupleTransformer"]


class StructureOnlyError(TypeConversionError):
    """The type has no literal of its own: it is written inside of structures only."""


class _StructureOnly(TypeTransformer):
    """What the families share that have no declared type."""

    remedy: ClassVar[str]
    classes: ClassVar[tuple[type[Any], ...]]

    def claims(self, annotation: Any) -> bool:
        return (typing.get_origin(annotation) or annotation) in self.classes

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        raise StructureOnlyError(
            f"{describe_annotation(annotation)} crosses only as a field of a dataclass; {self.remedy}, or put it in one"
        )

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        self.literal_type(annotation, types)
        raise AssertionError("a type without a declared type was declared")

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Any:
        return self.from_plain(types.to_python(literal, Any, ctx), annotation, types, ctx)


_READERS: Final[dict[type, Callable[[str], Any]]] = {UUID: UUID, Decimal: Decimal, time: time.fromisoformat}


class TextTransformer(_StructureOnly):
    """UUID, Decimal, time and Path, written as text."""

    tag = "text"
    classes = (UUID, Decimal, time)
    remedy = "use str"

    def claims(self, annotation: Any) -> bool:
        return annotation in self.classes or (isinstance(annotation, type) and issubclass(annotation, PurePath))

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> str:
        if not isinstance(value, annotation):
            raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {describe_value(value)}")
        return value.isoformat() if isinstance(value, time) else str(value)

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        try:
            if isinstance(data, str):
                return _READERS.get(annotation, annotation)(data)
        except (ValueError, InvalidOperation):
            pass
        raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {describe_value(data)}") from None


class TupleTransformer(_StructureOnly):
    """tuple[A, B] and tuple[T, ...], written as lists."""

    tag = "tuple"
    classes = (tuple,)
    remedy = "use list"

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> list[Any]:
        if not isinstance(value, tuple):
            raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {describe_value(value)}")
        return [
            _at(index, types.to_plain, part, item, ctx)
            for index, (part, item) in enumerate(zip(value, _items(value, annotation), strict=True))
        ]

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> tuple[Any, ...]:
        if not isinstance(data, list | tuple):
            raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {describe_value(data)}")
        return tuple(
            _at(index, types.from_plain, part, item, ctx)
            for index, (part, item) in enumerate(zip(data, _items(data, annotation), strict=True))
        )


def _items(value: Any, annotation: Any) -> tuple[Any, ...]:
    """An annotation for each member."""
    arguments = typing.get_args(annotation)
    if not arguments:
        return (Any,) * len(value)
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return (arguments[0],) * len(value)
    if len(arguments) != len(value):
        raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {len(value)} values")
    return arguments


class SetTransformer(_StructureOnly):
    """set[T] and frozenset[T], written as lists."""

    tag = "set"
    classes = (set, frozenset)
    remedy = "use list"

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> list[Any]:
        if not isinstance(value, set | frozenset):
            raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {describe_value(value)}")
        item = (typing.get_args(annotation) or (Any,))[0]
        return [types.to_plain(part, item, ctx) for part in value]

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        if not isinstance(data, list | tuple):
            raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {describe_value(data)}")
        item, kind = (typing.get_args(annotation) or (Any,))[0], typing.get_origin(annotation) or annotation
        try:
            return kind(_at(index, types.from_plain, part, item, ctx) for index, part in enumerate(data))
        except TypeError as error:
            raise TypeConversionError(f"a member of {describe_annotation(annotation)} cannot be hashed") from error


def _at(index: int, convert: Callable[..., Any], part: Any, item: Any, ctx: ConversionContext) -> Any:
    try:
        return convert(part, item, ctx)
    except TypeConversionError as error:
        raise nested(error, f"[{index}]") from error
