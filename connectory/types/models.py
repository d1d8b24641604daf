"""The messages of values and types under Flyte's names, for transformers that were written for its SDK.

`Literal(scalar=Scalar(...))` makes the protobuf message. What transformers are given are views of messages, which
answer None for what is not set, as Flyte's own models do; views may be put into messages.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from google.protobuf import json_format, struct_pb2
from google.protobuf.message import Message

from connectory.v1 import literals_pb2, types_pb2

__all__ = [
    "Binary",
    "Blob",
    "BlobMetadata",
    "BlobType",
    "EnumType",
    "Literal",
    "LiteralCollection",
    "LiteralMap",
    "LiteralType",
    "Primitive",
    "Scalar",
    "Schema",
    "SchemaType",
    "SimpleType",
    "StructuredDataset",
    "StructuredDatasetLiteral",
    "StructuredDatasetMetadata",
    "StructuredDatasetType",
    "TypeStructure",
    "Union",
    "UnionType",
    "View",
    "Void",
    "message_of",
    "view",
]

SimpleType = types_pb2.SimpleType


class View:
    """A message that is only read: parts that are not set are None."""

    __slots__ = ("_message",)

    def __init__(self, message: Message) -> None:
        self._message = message

    def __getattr__(self, name: str) -> Any:
        message: Any = self._message
        field = message.DESCRIPTOR.fields_by_name.get(name)
        if field is None:
            return getattr(message, name)
        if field.has_presence and not message.HasField(name):
            return None
        value = getattr(message, name)
        if name == "metadata" and isinstance(value, struct_pb2.Struct):
            return json_format.MessageToDict(value)
        return view(value)

    def __eq__(self, other: object) -> bool:
        return bool(self._message == message_of(other))

    def __hash__(self) -> int:
        return hash(self._message.SerializeToString(deterministic=True))

    def __repr__(self) -> str:
        return repr(self._message)


def view(value: Any) -> Any:
    """A value of a message's field as transformers see it."""
    if not isinstance(value, Message):
        if isinstance(value, Mapping):
            return {key: view(value[key]) for key in value}
        if type(value).__name__.startswith("RepeatedComposite"):
            return [view(part) for part in value]
        return value
    match value.DESCRIPTOR.full_name:
        case "google.protobuf.Timestamp":
            return cast(Any, value).ToDatetime(tzinfo=UTC)
        case "google.protobuf.Duration":
            return cast(Any, value).ToTimedelta()
        case "google.protobuf.Struct":
            return value
    return View(value)


def message_of(value: Any) -> Any:
    """The message behind a view; anything else is answered as it is."""
    return value._message if isinstance(value, View) else value


class _Model(type):
    """Classes that stand for a message's class: calling one makes the message."""

    message: Any

    def __call__(cls, *positional: Any, **named: Any) -> Any:
        names = [field.name for field in cls.message.DESCRIPTOR.fields]
        given = {**dict(zip(names, positional, strict=False)), **named}
        return cls.message(**{name: _part(part) for name, part in given.items() if part is not None})

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(message_of(value), cls.message)

    def __getattr__(cls, name: str) -> Any:
        return getattr(type.__getattribute__(cls, "message"), name)


def _part(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [message_of(part) for part in value]
    if isinstance(value, Mapping):
        return {key: message_of(part) for key, part in value.items()}
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return message_of(value)


class Literal(metaclass=_Model):
    message = literals_pb2.Literal


class Scalar(metaclass=_Model):
    message = literals_pb2.Scalar


class Primitive(metaclass=_Model):
    message = literals_pb2.Primitive


class Binary(metaclass=_Model):
    message = literals_pb2.Binary


class Blob(metaclass=_Model):
    message = literals_pb2.Blob


class BlobMetadata(metaclass=_Model):
    message = literals_pb2.BlobMetadata


class Schema(metaclass=_Model):
    message = literals_pb2.Schema


class StructuredDataset(metaclass=_Model):
    message = literals_pb2.StructuredDataset


StructuredDatasetLiteral = StructuredDataset
"""The same, for modules that also have the class of that name whose instances people handle."""


class StructuredDatasetMetadata(metaclass=_Model):
    message = literals_pb2.StructuredDatasetMetadata


class Union(metaclass=_Model):
    message = literals_pb2.Union


class Void(metaclass=_Model):
    message = literals_pb2.Void


class LiteralCollection(metaclass=_Model):
    message = literals_pb2.LiteralCollection


class LiteralMap(metaclass=_Model):
    message = literals_pb2.LiteralMap


class LiteralType(metaclass=_Model):
    message = types_pb2.LiteralType


class BlobType(metaclass=_Model):
    message = types_pb2.BlobType


class EnumType(metaclass=_Model):
    message = types_pb2.EnumType


class UnionType(metaclass=_Model):
    message = types_pb2.UnionType


class TypeStructure(metaclass=_Model):
    message = types_pb2.TypeStructure


class SchemaType(metaclass=_Model):
    message = types_pb2.SchemaType


class StructuredDatasetType(metaclass=_Model):
    message = types_pb2.StructuredDatasetType
