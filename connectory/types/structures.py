"""How structures cross: written as msgpack with Flyte's tag, read from that and from the older JSON Struct."""

from typing import Any, Final

import msgspec
from google.protobuf import struct_pb2

from connectory.errors import TypeConversionError
from connectory.types.describing import describe_literal
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["MSGPACK", "pack", "packed", "plain_of", "struct_type", "unpack"]

MSGPACK: Final = "msgpack"
_MAX_EXACT: Final = 2.0**53


def struct_type() -> types_pb2.LiteralType:
    """The declared type of a structure, with Flyte's remark on how it is written."""
    remark = struct_pb2.Struct()
    remark.update({"cache-key-metadata": {"serialization-format": MSGPACK}})
    return types_pb2.LiteralType(simple=types_pb2.STRUCT, annotation=types_pb2.TypeAnnotation(annotations=remark))


def pack(plain: Any) -> literals_pb2.Literal:
    """A literal that carries plain data."""
    try:
        data = msgspec.msgpack.encode(plain)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise TypeConversionError(f"the structure cannot be written as msgpack: {error}") from error
    return packed(data)


def packed(data: bytes) -> literals_pb2.Literal:
    """A literal that carries msgpack."""
    literal = literals_pb2.Literal()
    binary = literal.scalar.binary
    binary.value, binary.tag = data, MSGPACK
    return literal


def unpack(data: bytes) -> Any:
    """The plain data that a binary with the tag `MSGPACK` carries."""
    try:
        return msgspec.msgpack.decode(data)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        raise TypeConversionError(f"a binary tagged {MSGPACK!r} cannot be read: {error}") from error


def plain_of(literal: literals_pb2.Literal) -> Any:
    """The plain data that a structure's literal carries, in either form."""
    scalar = literal.scalar
    which = scalar.WhichOneof("value")
    if which == "binary" and scalar.binary.tag == MSGPACK:
        return unpack(scalar.binary.value)
    if which == "generic":
        return {key: _of_value(value) for key, value in scalar.generic.fields.items()}
    raise TypeConversionError(f"expected struct, got {describe_literal(literal)}")


def _of_value(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() and abs(number) <= _MAX_EXACT else number
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return {key: _of_value(item) for key, item in value.struct_value.fields.items()}
        case "list_value":
            return [_of_value(item) for item in value.list_value.values]
        case _:
            return None
