"""The error that a workflow's failure node is given."""

from dataclasses import dataclass
from typing import Any

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_literal, describe_value
from connectory.types.registry import TypeRegistry
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["FlyteError", "FlyteErrorTransformer"]


@dataclass
class FlyteError:
    """Why a workflow failed, and which of its nodes did. A failure node takes it as `err: FlyteError | None = None`."""

    message: str
    failed_node_id: str


class FlyteErrorTransformer(TypeTransformer):
    """The error, as the kind of literal that is made for it."""

    tag = "FlyteError"
    annotations = (FlyteError,)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        return types_pb2.LiteralType(simple=types_pb2.ERROR)

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        if not isinstance(value, FlyteError):
            raise TypeConversionError(f"expected FlyteError, got {describe_value(value)}")
        told = types_pb2.Error(message=value.message, failed_node_id=value.failed_node_id)
        return literals_pb2.Literal(scalar=literals_pb2.Scalar(error=told))

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> FlyteError:
        if literal.scalar.WhichOneof("value") != "error":
            raise TypeConversionError(f"expected an error, got {describe_literal(literal)}")
        told = literal.scalar.error
        return FlyteError(message=told.message, failed_node_id=told.failed_node_id)
