"""dataclasses."""

import dataclasses
import functools
import typing
from collections.abc import Mapping
from typing import Any

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_annotation, describe_value, nested
from connectory.types.kinds import Kind, kind_of
from connectory.types.registry import TypeRegistry
from connectory.types.structures import pack, plain_of, struct_type
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["DataclassTransformer"]


class DataclassTransformer(TypeTransformer):
    """A dataclass crosses as a structure of its fields; fields with a default may be missing, others may not."""

    tag = "Object-Dataclass-Transformer"

    def claims(self, annotation: Any) -> bool:
        return isinstance(annotation, type) and dataclasses.is_dataclass(annotation)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        literal_type = struct_type()
        for name, field_annotation in _fields(annotation).items():
            try:
                field_type = types.shared_literal_type(field_annotation)
            except TypeConversionError as error:
                raise nested(error, f"{describe_annotation(annotation)}.{name}") from error
            literal_type.structure.dataclass_type[name].CopyFrom(field_type)
        return literal_type

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
        return pack(self.to_plain(value, annotation, types, ctx))

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Any:
        return self.from_plain(plain_of(literal), annotation, types, ctx)

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> dict[str, Any]:
        if not isinstance(value, annotation):
            raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {describe_value(value)}")
        plain = {}
        for name, field_annotation in _fields(annotation).items():
            try:
                plain[name] = types.to_plain(getattr(value, name), field_annotation, ctx)
            except TypeConversionError as error:
                raise nested(error, name) from error
        return plain

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        if not isinstance(data, Mapping):
            raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {describe_value(data)}")
        fields = _fields(annotation)
        unknown = [str(name) for name in data if name not in fields]
        if unknown:
            known = f"(it has {', '.join(fields) or 'no fields'})"
            raise TypeConversionError(f"{describe_annotation(annotation)} has no field {', '.join(unknown)} {known}")
        given = {}
        for name, part in data.items():
            try:
                given[name] = types.from_plain(part, fields[name], ctx)
            except TypeConversionError as error:
                raise nested(error, name) from error
        return _build(annotation, given)


@functools.cache
def _fields(annotation: Any) -> dict[str, Any]:
    """The fields that cross, with their resolved annotations."""
    try:
        hints = typing.get_type_hints(annotation, include_extras=True)
    except (NameError, TypeError) as error:
        raise TypeConversionError(
            f"the annotations of {describe_annotation(annotation)} mean nothing: {error}"
        ) from error
    return {field.name: hints[field.name] for field in dataclasses.fields(annotation) if field.init}


def _build(annotation: Any, given: dict[str, Any]) -> Any:
    required = [
        field.name
        for field in dataclasses.fields(annotation)
        if field.init and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    missing = [name for name in required if name not in given]
    if missing:
        raise TypeConversionError(f"{describe_annotation(annotation)} needs {', '.join(missing)}, which is missing")
    try:
        return annotation(**given)
    except Exception as error:  # whatever the class itself raises
        raise TypeConversionError(f"{describe_annotation(annotation)} refuses its fields: {error}") from error
