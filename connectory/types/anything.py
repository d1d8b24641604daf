"""Any: whatever a value or a literal most naturally is."""

from typing import Any, Final

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_literal, describe_value
from connectory.types.kinds import Kind, kind_of
from connectory.types.registry import TypeRegistry
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["AnyTransformer"]

_PRIMITIVES: Final = {
    "integer": Kind.INTEGER,
    "float_value": Kind.FLOAT,
    "string_value": Kind.STRING,
    "boolean": Kind.BOOLEAN,
    "datetime": Kind.DATETIME,
    "duration": Kind.DURATION,
}
_SCALARS: Final = {
    "none_type": Kind.NONE,
    "binary": Kind.BINARY,
    "generic": Kind.STRUCT,
    "structured_dataset": Kind.STRUCTURED_DATASET,
    "schema": Kind.STRUCTURED_DATASET,
    "union": Kind.UNION,
}


class AnyTransformer(TypeTransformer):
    """Any, inside a structure or where a literal says by itself what it is. A variable cannot be declared as Any."""

    tag = "any"
    annotations = (Any, object)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        raise TypeConversionError("Any says nothing about the value; declare the type that it has")

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        return types.transformer_of_kind(kind_of(literal_type)).to_literal(value, literal_type, Any, types, ctx)

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Any:
        return types.transformer_of_kind(_kind_of_literal(literal)).to_python(literal, Any, types, ctx)

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        for natural in type(value).__mro__[:-1]:
            try:
                transformer = types.transformer_for(list if natural is tuple else natural)
            except TypeConversionError:
                continue
            return transformer.to_plain(value, list if natural is tuple else natural, types, ctx)
        raise TypeConversionError(f"{describe_value(value)} cannot be a part of a structure")

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        return data


def _kind_of_literal(literal: literals_pb2.Literal) -> Kind:
    which = literal.WhichOneof("value")
    if which == "collection":
        return Kind.LIST
    if which == "map":
        return Kind.MAP
    scalar = literal.scalar
    field = scalar.WhichOneof("value") or ""
    if field == "primitive":
        kind = _PRIMITIVES.get(scalar.primitive.WhichOneof("value") or "")
    elif field == "blob":
        multipart = scalar.blob.metadata.type.dimensionality == types_pb2.BlobType.MULTIPART
        kind = Kind.DIRECTORY if multipart else Kind.FILE
    else:
        kind = _SCALARS.get(field)
    if kind is None:
        raise TypeConversionError(f"expected a value, got {describe_literal(literal)}")
    return kind
