"""Iterators: streams of JSON values as lines in an object, and streams of anything else as collections."""

import collections.abc
import json
import typing
from collections.abc import Iterable, Iterator
from typing import Any, Final

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_annotation, describe_literal, describe_value, nested
from connectory.types.kinds import Kind, kind_of
from connectory.types.objects import fetched, object_type, stored, uri_of
from connectory.types.registry import TypeRegistry
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["JSON", "IteratorTransformer", "JsonLinesTransformer"]

JSON = dict[str, Any] | list[Any] | bool | float | int | str
"""What a line of JSON may hold: `Iterator[JSON]` is carried as lines, and neither written nor read at once."""

_FORMAT: Final = "jsonl"
_REMARK: Final = {"format": "json iterator"}


class JsonLinesTransformer(TypeTransformer):
    """`Iterator[JSON]`: one line of JSON per value, in one object. Nothing is read before it is asked for."""

    tag = "JSON Iterator"
    annotations = (Iterator[JSON], typing.Iterator[JSON])

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        literal_type = object_type(_FORMAT)
        literal_type.metadata.update(_REMARK)
        return literal_type

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        path = ctx.new_local_path("values.jsonl")
        with path.open("w", encoding="utf-8") as file:
            for index, part in enumerate(_iterable(value)):
                try:
                    file.write(json.dumps(part, ensure_ascii=False, separators=(",", ":")) + "\n")
                except (TypeError, ValueError, RecursionError) as error:
                    raise TypeConversionError(
                        f"{describe_value(part)} is no JSON: {error}", path=f"[{index}]"
                    ) from error
        return stored(path, _FORMAT, ctx)

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Iterator[Any]:
        return _lines(uri_of(literal, "lines of JSON"), ctx)


def _lines(uri: str, ctx: ConversionContext) -> Iterator[Any]:
    with fetched(uri, ctx).open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield json.loads(line)
            except ValueError as error:
                raise TypeConversionError(f"line {number} of {uri} is no JSON: {error}") from error


class IteratorTransformer(TypeTransformer):
    """`Iterator[T]`: a collection of T. A member is converted when it is asked for."""

    tag = "Typed Iterator"
    annotations = (collections.abc.Iterator,)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        return types_pb2.LiteralType(collection_type=types.shared_literal_type(_item(annotation)))

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        if kind_of(literal_type) is not Kind.LIST:
            raise TypeConversionError(f"an iterator does not fit a variable of kind {kind_of(literal_type).value}")
        return types.to_literal(list(_iterable(value)), literal_type, ctx, annotation=list[_item(annotation)])  # type: ignore[misc]

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Iterator[Any]:
        if literal.WhichOneof("value") != "collection":
            raise TypeConversionError(f"expected iterator, got {describe_literal(literal)}")
        return _members(literal.collection, _item(annotation), types, ctx)


def _members(
    collection: literals_pb2.LiteralCollection, item: Any, types: TypeRegistry, ctx: ConversionContext
) -> Iterator[Any]:
    for index, part in enumerate(collection.literals):
        try:
            yield types.to_python(part, item, ctx)
        except TypeConversionError as error:
            raise nested(error, f"[{index}]") from error


def _item(annotation: Any) -> Any:
    arguments = typing.get_args(annotation)
    if len(arguments) == 1:
        return arguments[0]
    raise TypeConversionError(
        f"{describe_annotation(annotation)} does not say what it gives; write Iterator[int], for example"
    )


def _iterable(value: Any) -> Iterable[Any]:
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | dict):
        return value
    raise TypeConversionError(f"expected an iterator, got {describe_value(value)}")
