"""list and dict."""

import typing
from typing import Any, Final

from connectory.errors import TypeConversionError
from connectory.types import bulk
from connectory.types.bulk import LONG, SEVERAL
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_annotation, describe_literal, describe_value, nested
from connectory.types.kinds import Kind, kind_of
from connectory.types.registry import TypeRegistry
from connectory.types.scalars import PrimitiveTransformer
from connectory.types.structures import pack, plain_of, struct_type
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["DictTransformer", "ListTransformer"]


class ListTransformer(TypeTransformer):
    """list[T]. A tuple is taken as a list."""

    tag = "Typed List"
    annotations = (list,)
    kinds = (Kind.LIST,)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        arguments = typing.get_args(annotation)
        if len(arguments) != 1:
            raise TypeConversionError(
                f"{describe_annotation(annotation)} does not say what it holds; write list[int], for example"
            )
        return types_pb2.LiteralType(collection_type=types.shared_literal_type(arguments[0]))

    def annotation_for(self, literal_type: types_pb2.LiteralType, types: TypeRegistry) -> Any:
        return list[types.annotation_for(literal_type.collection_type)]  # type: ignore[misc]  # a type made at run time

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        if kind_of(literal_type) is not Kind.LIST:
            raise TypeConversionError(f"a list does not fit a variable of kind {kind_of(literal_type).value}")
        item_type, item = literal_type.collection_type, _item(annotation)
        literal, parts = literals_pb2.Literal(), _sequence(value)
        literal.collection.SetInParent()
        if len(parts) >= SEVERAL and bulk.write(parts, _plain_kind(item, item_type, types), literal.collection):
            return literal
        for index, part in enumerate(parts):
            try:
                literal.collection.literals.append(types.to_literal(part, item_type, ctx, annotation=item))
            except TypeConversionError as error:
                raise nested(error, f"[{index}]") from error
        return literal

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> list[Any]:
        if literal.WhichOneof("value") != "collection":
            raise TypeConversionError(f"expected list, got {describe_literal(literal)}")
        item, collection = _item(annotation), literal.collection
        values = []
        if len(collection.literals) >= SEVERAL:
            read = bulk.read(collection, _plain_kind(item, None, types))
            if read is not None:
                return read
        for index, part in enumerate(collection.literals):
            try:
                values.append(types.to_python(part, item, ctx))
            except TypeConversionError as error:
                raise nested(error, f"[{index}]") from error
        return values

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> list[Any]:
        item = _item(annotation)
        if _all_plain(_sequence(value), item, types):
            return list(value)
        values = []
        for index, part in enumerate(_sequence(value)):
            try:
                values.append(types.to_plain(part, item, ctx))
            except TypeConversionError as error:
                raise nested(error, f"[{index}]") from error
        return values

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> list[Any]:
        item = _item(annotation)
        if _all_plain(_sequence(data), item, types):
            return list(data)
        values = []
        for index, part in enumerate(_sequence(data)):
            try:
                values.append(types.from_plain(part, item, ctx))
            except TypeConversionError as error:
                raise nested(error, f"[{index}]") from error
        return values


_PLAIN: Final = {float: Kind.FLOAT, int: Kind.INTEGER, str: Kind.STRING, bool: Kind.BOOLEAN}


def _plain_kind(item: Any, item_type: types_pb2.LiteralType | None, types: TypeRegistry) -> Kind:
    """The kind of members that need nothing but to be copied; `Kind.NONE`: they need more."""
    if item is Any and item_type is not None:
        kind = kind_of(item_type)
        usual = kind in _PLAIN.values() and isinstance(types.transformer_of_kind(kind), PrimitiveTransformer)
    else:
        kind = _PLAIN.get(item, Kind.NONE) if isinstance(item, type) else Kind.NONE
        usual = kind is not Kind.NONE and isinstance(types.transformer_for(item), PrimitiveTransformer)
        usual = usual and (item_type is None or kind_of(item_type) is kind)
    return kind if usual else Kind.NONE


def _all_plain(values: list[Any] | tuple[Any, ...], item: Any, types: TypeRegistry) -> bool:
    """Whether all members may be written into a structure, or were read from one, as they are."""
    if len(values) < LONG or item not in (float, bool) or _plain_kind(item, None, types) is Kind.NONE:
        return False
    return set(map(type, values)) == {item}


def _item(annotation: Any) -> Any:
    return (typing.get_args(annotation) or (Any,))[0]


def _sequence(value: Any) -> list[Any] | tuple[Any, ...]:
    if isinstance(value, list | tuple):
        return value
    raise TypeConversionError(f"expected list, got {describe_value(value)}")


class DictTransformer(TypeTransformer):
    """dict. `dict[str, T]` is a map of literals; a plain dict, or one with other keys, is a structure."""

    tag = "Typed Dict"
    annotations = (dict,)
    kinds = (Kind.MAP, Kind.STRUCT)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        key, value = _key_and_value(annotation)
        if key is str and value is not Any:
            return types_pb2.LiteralType(map_value_type=types.shared_literal_type(value))
        return struct_type()

    def annotation_for(self, literal_type: types_pb2.LiteralType, types: TypeRegistry) -> Any:
        if kind_of(literal_type) is Kind.STRUCT:
            return dict
        return dict[str, types.annotation_for(literal_type.map_value_type)]  # type: ignore[misc]  # a type made at run time

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        kind = kind_of(literal_type)
        if kind is Kind.STRUCT:
            if annotation is Any and not isinstance(value, dict):
                return _structure(value, types, ctx)
            return pack(self.to_plain(value, annotation, types, ctx))
        if kind is not Kind.MAP:
            raise TypeConversionError(f"a dict does not fit a variable of kind {kind.value}")
        value_type, item = literal_type.map_value_type, _key_and_value(annotation)[1]
        literal, parts = literals_pb2.Literal(), _mapping(value)
        literal.map.SetInParent()
        if len(parts) >= SEVERAL and bulk.write_map(parts, _plain_kind(item, value_type, types), literal.map):
            return literal
        for key, part in parts.items():
            if not isinstance(key, str):
                raise TypeConversionError(f"expected keys of type str, got {describe_value(key)}")
            try:
                literal.map.literals[key].CopyFrom(types.to_literal(part, value_type, ctx, annotation=item))
            except TypeConversionError as error:
                raise nested(error, f"[{key!r}]") from error
        return literal

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> dict[Any, Any]:
        if literal.WhichOneof("value") != "map":
            return self.from_plain(plain_of(literal), annotation, types, ctx)
        item, literals = _key_and_value(annotation)[1], literal.map.literals
        if len(literals) >= SEVERAL:
            read = bulk.read_map(literals, _plain_kind(item, None, types))
            if read is not None:
                return read
        values = {}
        for key, part in literals.items():
            try:
                values[key] = types.to_python(part, item, ctx)
            except TypeConversionError as error:
                raise nested(error, f"[{key!r}]") from error
        return values

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> dict[Any, Any]:
        key_annotation, item = _key_and_value(annotation)
        values = {}
        for key, part in _mapping(value).items():
            try:
                values[_hashable(types.to_plain(key, key_annotation, ctx))] = types.to_plain(part, item, ctx)
            except TypeConversionError as error:
                raise nested(error, f"[{key!r}]") from error
        return values

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> dict[Any, Any]:
        key_annotation, item = _key_and_value(annotation)
        values = {}
        for key, part in _mapping(data).items():
            try:
                values[_hashable(_key(key, key_annotation, types, ctx))] = types.from_plain(part, item, ctx)
            except TypeConversionError as error:
                raise nested(error, f"[{key!r}]") from error
        return values


def _key(key: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
    if annotation in (int, float) and isinstance(key, str):  # the older form writes every key as text
        try:
            return annotation(key)
        except ValueError:
            raise TypeConversionError(f"expected keys of type {describe_annotation(annotation)}") from None
    return types.from_plain(key, annotation, ctx)


def _hashable(key: Any) -> Any:
    if isinstance(key, list | dict):
        raise TypeConversionError(f"the keys of a structure are texts or numbers, not {describe_value(key)}")
    return key


def _key_and_value(annotation: Any) -> tuple[Any, Any]:
    arguments = typing.get_args(annotation)
    return (arguments[0], arguments[1]) if len(arguments) == 2 else (Any, Any)


def _mapping(value: Any) -> dict[Any, Any]:
    if isinstance(value, dict):
        return value
    raise TypeConversionError(f"expected dict, got {describe_value(value)}")


def _structure(value: Any, types: TypeRegistry, ctx: ConversionContext) -> literals_pb2.Literal:
    plain = types.to_plain(value, Any, ctx)
    if isinstance(plain, dict):
        return pack(plain)
    raise TypeConversionError(f"expected a dict or a dataclass, got {describe_value(value)}")
