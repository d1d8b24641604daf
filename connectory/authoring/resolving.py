"""From the bindings of a node to the literals that it is given."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from google.protobuf import json_format

from connectory.errors import TypeConversionError
from connectory.v1 import literals_pb2, workflow_pb2

__all__ = ["Lookup", "follow", "resolve", "resolve_all"]

Lookup = Callable[[str, str], literals_pb2.Literal]
"""Gives the literal of a variable of a node; an empty node id means the workflow's own inputs."""


def resolve_all(bindings: Iterable[workflow_pb2.Binding], lookup: Lookup) -> literals_pb2.LiteralMap:
    """Every bound variable's literal."""
    result = literals_pb2.LiteralMap()
    for binding in bindings:
        result.literals[binding.var].CopyFrom(resolve(binding.binding, lookup))
    return result


def resolve(data: workflow_pb2.BindingData, lookup: Lookup) -> literals_pb2.Literal:
    """The literal that a binding stands for."""
    match data.WhichOneof("value"):
        case "promise":
            found = lookup(data.promise.node_id, data.promise.var)
            return follow(found, data.promise.attr_path)
        case "collection":
            members = [resolve(member, lookup) for member in data.collection.bindings]
            return literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=members))
        case "map":
            entries = {key: resolve(member, lookup) for key, member in data.map.bindings.items()}
            return literals_pb2.Literal(map=literals_pb2.LiteralMap(literals=entries))
        case "offloaded_metadata":
            return literals_pb2.Literal(offloaded_metadata=data.offloaded_metadata)
    return literals_pb2.Literal(scalar=data.scalar)


def follow(literal: literals_pb2.Literal, path: Sequence[workflow_pb2.PromiseAttribute]) -> literals_pb2.Literal:
    """The part of a literal at an attribute path; a part that is not there is a `TypeConversionError` with the path."""
    walked = ""
    for position, attribute in enumerate(path):
        literal = _without_union(literal)
        key = attribute.int_value if attribute.WhichOneof("value") == "int_value" else attribute.string_value
        walked += f"[{key!r}]"
        match literal.WhichOneof("value"):
            case "collection":
                literal = _part(literal.collection.literals, key, walked)
            case "map":
                literal = _part(literal.map.literals, key, walked)
            case _:
                return _within(literal, path[position:], walked)
    return literal


def _without_union(literal: literals_pb2.Literal) -> literals_pb2.Literal:
    while literal.scalar.WhichOneof("value") == "union":
        literal = literal.scalar.union.value
    return literal


def _within(
    literal: literals_pb2.Literal, path: Sequence[workflow_pb2.PromiseAttribute], walked: str
) -> literals_pb2.Literal:
    """The part of a structure."""
    value = _plain(literal, walked)
    for attribute in path:
        key = attribute.int_value if attribute.WhichOneof("value") == "int_value" else attribute.string_value
        value = _part(value, key, walked)
    return _literal(value)


def _plain(literal: literals_pb2.Literal, walked: str) -> Any:
    match literal.scalar.WhichOneof("value"):
        case "binary" if literal.scalar.binary.tag == "msgpack":
            return msgspec.msgpack.decode(literal.scalar.binary.value)
        case "generic":
            return json_format.MessageToDict(literal.scalar.generic)
    raise TypeConversionError("the value has no parts", path=walked)


def _part(container: Any, key: str | int, walked: str) -> Any:
    try:
        if key not in container and not isinstance(key, int):
            raise KeyError(key)
        return container[key]
    except (KeyError, IndexError, TypeError) as error:
        raise TypeConversionError("the value has no such part", path=walked) from error


def _literal(value: Any) -> literals_pb2.Literal:
    """A part of a structure as the literal that its own kind has."""
    scalar = literals_pb2.Scalar()
    match value:
        case None:
            scalar.none_type.SetInParent()
        case bool():
            scalar.primitive.boolean = value
        case int():
            scalar.primitive.integer = value
        case float():
            scalar.primitive.float_value = value
        case str():
            scalar.primitive.string_value = value
        case list():
            members = [_literal(member) for member in value]
            return literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=members))
        case _:
            scalar.binary.value = msgspec.msgpack.encode(value)
            scalar.binary.tag = "msgpack"
    return literals_pb2.Literal(scalar=scalar)
