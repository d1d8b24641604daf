"""Protobuf messages of the user's own."""

from typing import Any

from google.protobuf import json_format, struct_pb2
from google.protobuf.message import Message

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_annotation, describe_value
from connectory.types.registry import TypeRegistry
from connectory.types.structures import plain_of
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["ProtobufTransformer"]


class ProtobufTransformer(TypeTransformer):
    """A message crosses as the JSON structure that protobuf defines for it; the declared type names its class."""

    tag = "Protobuf-Transformer"

    def claims(self, annotation: Any) -> bool:
        return isinstance(annotation, type) and issubclass(annotation, Message)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        literal_type = types_pb2.LiteralType(simple=types_pb2.STRUCT)
        literal_type.metadata.update({"pb_type": f"{annotation.__module__}.{annotation.__name__}"})
        return literal_type

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        structure = struct_pb2.Struct()
        structure.update(self.to_plain(value, annotation, types, ctx))
        return literals_pb2.Literal(scalar=literals_pb2.Scalar(generic=structure))

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Any:
        return self.from_plain(plain_of(literal), annotation, types, ctx)

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> dict[str, Any]:
        if not isinstance(value, annotation):
            raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {describe_value(value)}")
        plain = json_format.MessageToDict(value)
        if isinstance(plain, dict):
            return plain
        raise TypeConversionError(
            f"{describe_annotation(annotation)} is no structure in JSON; put it into a message of your own"
        )

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        try:
            return json_format.ParseDict(data, annotation())
        except (json_format.ParseError, AttributeError, TypeError, ValueError) as error:
            raise TypeConversionError(f"expected {describe_annotation(annotation)}: {error}") from error
