"""Enum classes: with text values, and with any plain values inside of structures."""

import enum
from typing import Any

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.describing import describe, describe_annotation, describe_literal, describe_value
from connectory.types.kinds import Kind, kind_of
from connectory.types.plain import StructureOnlyError
from connectory.types.registry import TypeRegistry
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["EnumTransformer"]


class EnumTransformer(TypeTransformer):
    """A member, or its value, crosses as the value. Without the class at hand it is read as str."""

    tag = "DefaultEnumTransformer"
    kinds = (Kind.ENUM,)

    def claims(self, annotation: Any) -> bool:
        return isinstance(annotation, type) and issubclass(annotation, enum.Enum)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        values = [member.value for member in annotation]
        if not values:
            raise TypeConversionError(f"enum {describe_annotation(annotation)} has no members")
        if not all(isinstance(value, str) for value in values):
            raise StructureOnlyError(
                f"the values of enum {describe_annotation(annotation)} must be of type str, except in a dataclass"
            )
        return types_pb2.LiteralType(enum_type=types_pb2.EnumType(values=values))

    def annotation_for(self, literal_type: types_pb2.LiteralType, types: TypeRegistry) -> Any:
        return str

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        text = value.value if isinstance(value, enum.Enum) else value
        if annotation is not Any:
            text = _member(value, annotation).value
        if not isinstance(text, str) or (
            kind_of(literal_type) is Kind.ENUM and text not in literal_type.enum_type.values
        ):
            raise TypeConversionError(f"expected {describe(literal_type)}, got {describe_value(value)}")
        return literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(string_value=text)))

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Any:
        primitive = literal.scalar.primitive
        if primitive.WhichOneof("value") != "string_value":
            raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {describe_literal(literal)}")
        return _member(primitive.string_value, annotation)

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        return _member(value, annotation).value

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        return _member(data, annotation)


def _member(value: Any, annotation: Any) -> enum.Enum:
    if isinstance(value, annotation):
        member: enum.Enum = value
        return member
    try:
        found: enum.Enum = annotation(value)
    except ValueError:
        known = ", ".join(repr(member.value) for member in annotation)
        raise TypeConversionError(f"expected one of {known}, got {describe_value(value)}") from None
    return found
