"""Literal["a", "b"]: one of some values."""

import typing
from datetime import datetime, timedelta
from typing import Any, Final

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_annotation, describe_value
from connectory.types.registry import TypeRegistry
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["ChoiceTransformer"]

_SUPPORTED: Final = (str, int, float, bool, datetime, timedelta)


class ChoiceTransformer(TypeTransformer):
    """The values of a `Literal` are all of one type and cross as that; the declared type lists them."""

    tag = "LiteralTypeTransformer"
    annotations = (typing.Literal,)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        literal_type = types.literal_type(_type_of(annotation))
        literal_type.annotation.annotations.update({"literal_values": list(typing.get_args(annotation))})
        return literal_type

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        return types.to_literal(_chosen(value, annotation), literal_type, ctx, annotation=_type_of(annotation))

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Any:
        return _chosen(types.to_python(literal, _type_of(annotation), ctx), annotation)

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        return types.to_plain(_chosen(value, annotation), _type_of(annotation), ctx)

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        return _chosen(types.from_plain(data, _type_of(annotation), ctx), annotation)


def _type_of(annotation: Any) -> Any:
    kinds = {type(value) for value in typing.get_args(annotation)}
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind in _SUPPORTED:
        return kind
    raise TypeConversionError(
        f"the values of {describe_annotation(annotation)} must all be of one type, which is one of "
        f"{', '.join(one.__name__ for one in _SUPPORTED)}"
    )


def _chosen(value: Any, annotation: Any) -> Any:
    for choice in typing.get_args(annotation):
        if type(value) is type(choice) and value == choice:
            return choice
    known = ", ".join(repr(choice) for choice in typing.get_args(annotation))
    raise TypeConversionError(f"expected one of {known}, got {describe_value(value)}")
