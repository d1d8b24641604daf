"""dataclasses."""

import dataclasses
import functools
import typing
from collections.abc import Mapping
from typing import Any

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.declaring import declaring, is_inside_itself
from connectory.types.describing import describe_annotation, describe_value, nested
from connectory.types.extras import bare
from connectory.types.hints import fields_of
from connectory.types.json_schema import json_schema
from connectory.types.kinds import Kind, kind_of
from connectory.types.mirroring import mirror_of
from connectory.types.mirrors import Mirror, UnfitError
from connectory.types.plain import StructureOnlyError
from connectory.types.registry import TypeRegistry
from connectory.types.structures import pack, packed, plain_of, struct_type
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["DataclassTransformer"]


class DataclassTransformer(TypeTransformer):
    """A dataclass crosses as a structure of its fields; fields with a default may be missing, others may not.

    Fields of type Any carry whatever plain data they hold. These, and fields of types that have no literal of their
    own, are described by the JSON schema only.
    """

    tag = "Object-Dataclass-Transformer"

    def claims(self, annotation: Any) -> bool:
        owner = typing.get_origin(annotation) or annotation
        return isinstance(owner, type) and dataclasses.is_dataclass(owner)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        literal_type = struct_type()
        if is_inside_itself(annotation):  # the schema around it describes it
            literal_type.metadata.update({"title": describe_annotation(annotation)})
            return literal_type
        schema = json_schema(annotation)
        if schema is not None:
            literal_type.metadata.update(schema)
        literal_type.structure.SetInParent()
        with declaring(annotation, types):
            self._declare_fields(literal_type, annotation, types)
        return literal_type

    @staticmethod
    def _declare_fields(literal_type: types_pb2.LiteralType, annotation: Any, types: TypeRegistry) -> None:
        for field, hint in fields_of(annotation):
            if bare(hint) is Any:
                continue
            try:
                field_type = types.shared_literal_type(hint)
            except StructureOnlyError:  # the schema describes it
                continue
            except TypeConversionError as error:
                raise nested(error, f"{describe_annotation(annotation)}.{field.name}") from error
            literal_type.structure.dataclass_type[field.name].CopyFrom(field_type)

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        if kind_of(literal_type) is not Kind.STRUCT:
            raise TypeConversionError(f"a dataclass does not fit a variable of kind {kind_of(literal_type).value}")
        mirror = self._mirror(annotation, types)
        if mirror is not None and mirror.writes:
            try:
                return packed(mirror.pack(value, ctx))
            except UnfitError:
                pass
        return pack(self.to_plain(value, annotation, types, ctx))

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Any:
        return self.from_plain(plain_of(literal), annotation, types, ctx)

    def from_msgpack(self, data: bytes, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        mirror = self._mirror(annotation, types)
        if mirror is not None:
            try:
                return mirror.unpack(data, ctx)
            except UnfitError:
                pass
        return super().from_msgpack(data, annotation, types, ctx)

    def _mirror(self, annotation: Any, types: TypeRegistry) -> Mirror | None:
        """What converts all parts at once; families derived from this one convert part by part, as they say."""
        return types.remembered(annotation, _mirrored) if type(self) is DataclassTransformer else None

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> dict[str, Any]:
        if not isinstance(value, typing.get_origin(annotation) or annotation):
            raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {describe_value(value)}")
        plain = {}
        for name, hint in _written(annotation):
            try:
                plain[name] = types.to_plain(getattr(value, name), hint, ctx)
            except TypeConversionError as error:
                raise nested(error, name) from error
        return plain

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        if not isinstance(data, Mapping):
            raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {describe_value(data)}")
        hints, derived, required = _read(annotation)
        given = {}
        for name, part in data.items():
            if name not in hints:
                if name in derived:
                    continue
                known = f"(it has {', '.join(hints) or 'no fields'})"
                raise TypeConversionError(f"{describe_annotation(annotation)} has no field {name} {known}")
            try:
                given[name] = types.from_plain(part, hints[name], ctx)
            except TypeConversionError as error:
                raise nested(error, name) from error
        if not given.keys() >= required:
            missing = ", ".join(name for name in hints if name in required - given.keys())
            raise TypeConversionError(f"{describe_annotation(annotation)} needs {missing}, which is missing")
        try:
            return annotation(**given)
        except Exception as error:  # whatever the class itself raises
            raise TypeConversionError(f"{describe_annotation(annotation)} refuses its fields: {error}") from error


def _mirrored(annotation: Any, types: TypeRegistry) -> Mirror | None:
    return mirror_of(annotation, types, DataclassTransformer)


@functools.cache
def _written(annotation: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, hint) for field, hint in fields_of(annotation))


@functools.cache
def _read(annotation: Any) -> tuple[dict[str, Any], frozenset[str], frozenset[str]]:
    """The fields that the class takes, the names of those which it makes itself, and which it must be given."""
    fields = fields_of(annotation)
    required = (
        field.name
        for field, _ in fields
        if field.init and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    )
    derived = frozenset(field.name for field, _ in fields if not field.init)
    return {field.name: hint for field, hint in fields if field.init}, derived, frozenset(required)
