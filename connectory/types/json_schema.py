"""The JSON schema of a dataclass, as Flyte's SDK records it with the declared type; consoles make forms of it."""

import base64
import dataclasses
import enum
import functools
import types as python_types
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from connectory.types.extras import bare
from connectory.types.hints import fields_of
from connectory.types.references import Directory, File
from connectory.types.structured_dataset import StructuredDataset

__all__ = ["json_schema"]

Schema = dict[str, Any]

_LEAVES: Final[Mapping[Any, Schema]] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    str: {"type": "string"},
    bytes: {"type": "string", "format": "base64"},
    python_types.NoneType: {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "format": "time"},
    timedelta: {"type": "number", "format": "time-delta"},
    UUID: {"type": "string", "format": "uuid"},
    Decimal: {"type": "string", "format": "decimal"},
    Any: {},
}
_TEXT: Final[Schema] = {"type": "string"}
_PATH: Final[Schema] = {"anyOf": [_TEXT, {"type": "string", "format": "path"}], "default": None}
_MAYBE_TEXT: Final[Schema] = {"anyOf": [_TEXT, {"type": "null"}]}
_NOTES: Final[Schema] = {"type": "object", "additionalProperties": _TEXT, "propertyNames": _TEXT}
_REFERENCES: Final[Mapping[type, tuple[str, Schema]]] = {
    File: ("FlyteFile", {"path": _PATH, "metadata": {"anyOf": [_NOTES, {"type": "null"}], "default": None}}),
    Directory: ("FlyteDirectory", {"path": _PATH}),
    StructuredDataset: (
        "StructuredDataset",
        {"uri": {**_MAYBE_TEXT, "default": None}, "file_format": {**_MAYBE_TEXT, "default": ""}},
    ),
}


class _UnknownError(Exception):
    """A part of the class has no schema."""


def json_schema(annotation: type) -> Schema | None:
    """The schema of a dataclass; None where a part of it has none, as then nothing is recorded."""
    try:
        return _Builder().build(annotation)
    except _UnknownError:
        return None


class _Builder:
    """One schema in the making: a class that is part of itself is referred to by name."""

    def __init__(self) -> None:
        self._open: list[type] = []
        self._recursive: dict[str, Schema] = {}

    def build(self, annotation: type) -> Schema:
        schema = self._schema(annotation)
        return {**schema, "$defs": self._recursive} if self._recursive else schema

    def _schema(self, annotation: Any) -> Schema:
        annotation = bare(annotation)
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if annotation in _LEAVES:
            return dict(_LEAVES[annotation])
        if origin in (typing.Union, python_types.UnionType):
            return {"anyOf": [self._schema(argument) for argument in arguments]}
        if origin is typing.Literal:
            values = [value.value if isinstance(value, enum.Enum) else value for value in arguments]
            return {"const": values[0]} if len(values) == 1 else {"enum": values}
        if (origin or annotation) in _GENERIC:
            return _GENERIC[origin or annotation](self._part, arguments)
        if isinstance(annotation, type):
            return self._class(annotation)
        raise _UnknownError

    def _part(self, annotation: Any) -> Schema | None:
        return None if bare(annotation) is Any else self._schema(annotation)

    def _class(self, annotation: type) -> Schema:
        for reference, (title, properties) in _REFERENCES.items():
            if issubclass(annotation, reference):
                return {"type": "object", "title": title, "properties": properties, "additionalProperties": False}
        if issubclass(annotation, enum.Enum):
            return {"enum": [member.value for member in annotation]}
        if issubclass(annotation, PurePath):
            return {"type": "string", "format": "path"}
        if dataclasses.is_dataclass(annotation):
            return self._dataclass(annotation)
        raise _UnknownError

    def _dataclass(self, annotation: type) -> Schema:
        name = annotation.__name__
        if annotation in self._open:
            self._recursive[name] = {}
            return {"$ref": f"#/$defs/{name}"}
        self._open.append(annotation)
        properties, required = self._fields(annotation)
        self._open.pop()
        schema: Schema = {"type": "object", "title": name, "additionalProperties": False}
        schema |= {"properties": properties} if properties else {}
        schema |= {"required": required} if required else {}
        if name in self._recursive:
            self._recursive[name] = schema
            return {"$ref": f"#/$defs/{name}"}
        return schema

    def _fields(self, annotation: type) -> tuple[Schema, list[str]]:
        properties: Schema = {}
        required = []
        for field, hint in fields_of(annotation):
            if not field.init:
                continue
            schema = self._schema(hint)
            if field.default is not dataclasses.MISSING:
                schema["default"] = _plain(field.default)
            elif field.default_factory is dataclasses.MISSING:
                required.append(field.name)
            if "description" in field.metadata:
                schema["description"] = field.metadata["description"]
            properties[field.name] = schema
        return properties, required


Part = Callable[[Any], Schema | None]


def _array(part: Part, arguments: tuple[Any, ...], **more: Any) -> Schema:
    items = part(arguments[0]) if arguments else None
    return {"type": "array", **({"items": items} if items is not None else {}), **more}


def _object(part: Part, arguments: tuple[Any, ...]) -> Schema:
    schema: Schema = {"type": "object"}
    for key, argument in zip(("propertyNames", "additionalProperties"), arguments, strict=False):
        inner = part(argument)
        schema |= {key: inner} if inner is not None else {}
    return schema


def _tuple(part: Part, arguments: tuple[Any, ...]) -> Schema:
    if not arguments:
        return {"type": "array"}
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return _array(part, arguments)
    items = [part(argument) or {} for argument in arguments]
    return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}


_GENERIC: Final[Mapping[Any, Callable[[Part, tuple[Any, ...]], Schema]]] = {
    list: _array,
    set: functools.partial(_array, uniqueItems=True),
    frozenset: functools.partial(_array, uniqueItems=True),
    dict: _object,
    tuple: _tuple,
}


def _plain(value: Any) -> Any:
    """A default as it is written in JSON."""
    match value:
        case enum.Enum():
            return value.value
        case bytes():
            return base64.encodebytes(value).decode()
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case UUID() | Decimal() | PurePath():
            return str(value)
        case list() | tuple() | set() | frozenset():
            return [_plain(part) for part in value]
        case dict():
            return {_plain(key): _plain(part) for key, part in value.items()}
        case _ if dataclasses.is_dataclass(value):
            return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            return value
