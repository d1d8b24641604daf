"""int, float, str, bool, bytes and None."""

import base64
import numbers
from collections.abc import Callable
from typing import Any, ClassVar

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_literal, describe_value
from connectory.types.kinds import Kind
from connectory.types.registry import TypeRegistry
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = [
    "BoolTransformer",
    "BytesTransformer",
    "FloatTransformer",
    "IntTransformer",
    "NoneTransformer",
    "PrimitiveTransformer",
    "StrTransformer",
    "valid_text",
]

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1


def _int(value: Any) -> int:
    if type(value) is int and _INT64_MIN <= value <= _INT64_MAX:
        return value
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        number = int(value)
        if _INT64_MIN <= number <= _INT64_MAX:
            return number
        raise TypeConversionError(f"{describe_value(value)} does not fit into 64 bits; use str or float for it")
    raise TypeConversionError(f"expected int, got {describe_value(value)}")


def _float(value: Any) -> float:
    if type(value) is float:
        return value
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeConversionError(f"expected float, got {describe_value(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if isinstance(value, numbers.Integral) and number != value:
        raise TypeConversionError(f"{describe_value(value)} cannot be a float without losing digits")
    return number


def valid_text(value: Any) -> str:
    """A str that can be written; anything else is a `TypeConversionError`."""
    if not isinstance(value, str):
        raise TypeConversionError(f"expected str, got {describe_value(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise TypeConversionError(f"{describe_value(value)} is not valid Unicode text ({error.reason})") from None
    return str.__str__(value)  # the text itself, whatever a class of its own shows


def _bool(value: Any) -> bool:
    if type(value) is bool:
        return value
    if type(value).__module__ == "numpy" and type(value).__name__.startswith("bool"):
        return bool(value)
    raise TypeConversionError(f"expected bool, got {describe_value(value)}")


class PrimitiveTransformer(TypeTransformer):
    """What the four families with a field of their own in `Primitive` share."""

    fields: ClassVar[tuple[str, ...]]
    """The field that is written, then others that are read too."""
    simple: ClassVar[types_pb2.SimpleType.ValueType]
    convert: ClassVar[Callable[[Any], Any]]

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        return types_pb2.LiteralType(simple=self.simple)

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        literal = literals_pb2.Literal()
        setattr(literal.scalar.primitive, self.fields[0], type(self).convert(value))
        return literal

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Any:
        primitive = literal.scalar.primitive
        which = primitive.WhichOneof("value")
        if which == self.fields[0]:  # of which protobuf has made sure that it is one
            return getattr(primitive, which)
        if which in self.fields:
            return type(self).convert(getattr(primitive, which))
        raise TypeConversionError(f"expected {self.tag}, got {describe_literal(literal)}")

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        return type(self).convert(value)

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        return type(self).convert(data)


class IntTransformer(PrimitiveTransformer):
    """int, within 64 bits. A bool is no int."""

    tag = "int"
    annotations = (int,)
    kinds = (Kind.INTEGER,)
    fields = ("integer",)
    simple = types_pb2.INTEGER
    convert = _int


class FloatTransformer(PrimitiveTransformer):
    """float, NaN and infinities included. An int is taken when it loses no digit."""

    tag = "float"
    annotations = (float,)
    kinds = (Kind.FLOAT,)
    fields = ("float_value", "integer")
    simple = types_pb2.FLOAT
    convert = _float


class StrTransformer(PrimitiveTransformer):
    """str."""

    tag = "str"
    annotations = (str,)
    kinds = (Kind.STRING,)
    fields = ("string_value",)
    simple = types_pb2.STRING
    convert = valid_text


class BoolTransformer(PrimitiveTransformer):
    """bool."""

    tag = "bool"
    annotations = (bool,)
    kinds = (Kind.BOOLEAN,)
    fields = ("boolean",)
    simple = types_pb2.BOOLEAN
    convert = _bool


class BytesTransformer(TypeTransformer):
    """bytes, carried as they are."""

    tag = "bytes"
    annotations = (bytes,)
    kinds = (Kind.BINARY,)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        return types_pb2.LiteralType(simple=types_pb2.BINARY)

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        literal = literals_pb2.Literal()
        literal.scalar.binary.value = self.to_plain(value, annotation, types, ctx)
        return literal

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> bytes:
        if literal.scalar.WhichOneof("value") == "binary":
            return literal.scalar.binary.value
        raise TypeConversionError(f"expected bytes, got {describe_literal(literal)}")

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> bytes:
        if isinstance(value, bytes | bytearray | memoryview):
            return bytes(value)
        raise TypeConversionError(f"expected bytes, got {describe_value(value)}")

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> bytes:
        if isinstance(data, str):  # JSON has no bytes: the older form writes them in base 64
            try:
                return base64.b64decode(data.replace("\n", ""), validate=True)
            except ValueError:
                raise TypeConversionError(f"expected bytes, got {describe_value(data)}") from None
        return self.to_plain(data, annotation, types, ctx)


class NoneTransformer(TypeTransformer):
    """None."""

    tag = "none"
    annotations = (type(None),)
    kinds = (Kind.NONE,)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        return types_pb2.LiteralType(simple=types_pb2.NONE)

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        self.to_plain(value, annotation, types, ctx)
        return literals_pb2.Literal(scalar=literals_pb2.Scalar(none_type=literals_pb2.Void()))

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> None:
        if literal.scalar.WhichOneof("value") != "none_type":
            raise TypeConversionError(f"expected none, got {describe_literal(literal)}")

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> None:
        if value is not None:
            raise TypeConversionError(f"expected None, got {describe_value(value)}")

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> None:
        self.to_plain(data, annotation, types, ctx)
