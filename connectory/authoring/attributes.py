"""Reaching into a value: what `output.rows[2].name` means once the output is known."""

from collections.abc import Sequence
from typing import Any

import msgspec
from google.protobuf import json_format

from connectory.errors import TypeConversionError
from connectory.v1 import literals_pb2, types_pb2, workflow_pb2

__all__ = ["reach"]

_MSGPACK = "msgpack"


def reach(
    literal: literals_pb2.Literal,
    path: Sequence[workflow_pb2.PromiseAttribute],
    expected: types_pb2.LiteralType | None = None,
) -> literals_pb2.Literal:
    """The part of the literal that the path leads to; `expected` is the type that the receiver declares."""
    for position, attribute in enumerate(path):
        literal = _unwrap(literal)
        kind = literal.WhichOneof("value")
        step = _step(attribute)
        if kind == "scalar":
            value = _native(literal.scalar, path)
            for rest in path[position:]:
                value = _item(value, _step(rest), path)
            return _literal_of(value, expected)
        try:
            literal = _part(literal, step)
        except (IndexError, KeyError, ValueError) as error:
            raise _missing(path, step) from error
    return literal


def _part(literal: literals_pb2.Literal, step: str | int) -> literals_pb2.Literal:
    if literal.WhichOneof("value") == "collection":
        return literal.collection.literals[int(step)]
    if str(step) not in literal.map.literals:  # reading a missing entry of a protobuf map would add it
        raise KeyError(step)
    return literal.map.literals[str(step)]


def _unwrap(literal: literals_pb2.Literal) -> literals_pb2.Literal:
    while literal.WhichOneof("value") == "scalar" and literal.scalar.WhichOneof("value") == "union":
        literal = literal.scalar.union.value
    return literal


def _native(scalar: literals_pb2.Scalar, path: Sequence[workflow_pb2.PromiseAttribute]) -> Any:
    kind = scalar.WhichOneof("value")
    if kind == "generic":
        return json_format.MessageToDict(scalar.generic)
    if kind == "binary" and scalar.binary.tag == _MSGPACK:
        return msgspec.msgpack.decode(scalar.binary.value)
    raise TypeConversionError(f"a value of kind {kind} has no parts", path=_text(path))


def _item(value: Any, step: str | int, path: Sequence[workflow_pb2.PromiseAttribute]) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError) as error:
        raise _missing(path, step) from error


def _literal_of(value: Any, expected: types_pb2.LiteralType | None) -> literals_pb2.Literal:
    kind = expected.WhichOneof("type") if expected is not None else None
    if expected is not None and kind == "collection_type" and isinstance(value, list):
        items = [_literal_of(item, expected.collection_type) for item in value]
        return literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=items))
    if expected is not None and kind == "map_value_type" and isinstance(value, dict):
        entries = {str(name): _literal_of(item, expected.map_value_type) for name, item in value.items()}
        return literals_pb2.Literal(map=literals_pb2.LiteralMap(literals=entries))
    if expected is None and isinstance(value, list):
        members = [_literal_of(item, None) for item in value]
        return literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=members))
    if isinstance(value, list | dict):
        packed = literals_pb2.Binary(value=msgspec.msgpack.encode(value), tag=_MSGPACK)
        return literals_pb2.Literal(scalar=literals_pb2.Scalar(binary=packed))
    return literals_pb2.Literal(scalar=_scalar_of(value, expected))


def _scalar_of(value: Any, expected: types_pb2.LiteralType | None) -> literals_pb2.Scalar:
    simple = expected.simple if expected is not None and expected.WhichOneof("type") == "simple" else None
    if value is None:
        return literals_pb2.Scalar(none_type=literals_pb2.Void())
    if isinstance(value, bool):
        return literals_pb2.Scalar(primitive=literals_pb2.Primitive(boolean=value))
    if isinstance(value, str):
        return literals_pb2.Scalar(primitive=literals_pb2.Primitive(string_value=value))
    if isinstance(value, bytes):
        return literals_pb2.Scalar(binary=literals_pb2.Binary(value=value))
    if simple == types_pb2.INTEGER and float(value).is_integer():
        return literals_pb2.Scalar(primitive=literals_pb2.Primitive(integer=int(value)))
    if isinstance(value, float) or simple == types_pb2.FLOAT:
        return literals_pb2.Scalar(primitive=literals_pb2.Primitive(float_value=float(value)))
    if isinstance(value, int):
        return literals_pb2.Scalar(primitive=literals_pb2.Primitive(integer=value))
    raise TypeConversionError(f"a value of type {type(value).__name__} cannot be taken out of a structure")


def _step(attribute: workflow_pb2.PromiseAttribute) -> str | int:
    return attribute.int_value if attribute.WhichOneof("value") == "int_value" else attribute.string_value


def _missing(path: Sequence[workflow_pb2.PromiseAttribute], step: str | int) -> TypeConversionError:
    return TypeConversionError(f"the value has no {step!r}", path=_text(path))


def _text(path: Sequence[workflow_pb2.PromiseAttribute]) -> str:
    steps = (_step(attribute) for attribute in path)
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
