"""A task's `custom` as the connector's own config class, with errors that name the field."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from google.protobuf import struct_pb2
from msgspec import inspect as description

from connectory.connector.shapes import require_json
from connectory.errors import ConnectorError, InvalidTaskError

__all__ = ["ConfigReader", "plain"]

_AT = re.compile(r"^(?P<text>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?$", re.DOTALL)
_EXACT = 2**53


class ConfigReader:
    """Reads the config of one connector. Without a config class the config is a plain dict."""

    def __init__(self, config_type: Any) -> None:
        self.config_type = config_type
        self._is_dict = config_type in (dict, dict[str, Any])
        self._shape = None if self._is_dict else require_json(config_type)
        self._shared = self._frozen_default()

    def read(self, custom: struct_pb2.Struct) -> Any:
        """The config. What does not fit, or is not known, is an `InvalidTaskError` naming the field."""
        if not custom.fields:
            return self._shared if self._shared is not None else self._validated({})
        return self._convert(plain(custom))

    def _convert(self, data: dict[str, Any]) -> Any:
        if self._is_dict:
            return data
        unknown = {f"custom.{path}": sentence for path, sentence in _unknown(data, self._shape, "")}
        if unknown:
            raise InvalidTaskError(f"the task's config has {_sentences(unknown)}", fields=unknown)
        return self._validated(data)

    def _validated(self, data: dict[str, Any]) -> Any:
        if self._is_dict:
            return data
        try:
            return msgspec.convert(data, self.config_type)
        except msgspec.ValidationError as error:
            raise _invalid(error) from error

    def _frozen_default(self) -> Any:
        """One config for all empty ones, when it cannot be changed by whoever gets it."""
        cls = self.config_type
        frozen = getattr(getattr(cls, "__dataclass_params__", None), "frozen", False)
        if isinstance(cls, type) and issubclass(cls, msgspec.Struct):
            frozen = cls.__struct_config__.frozen
        try:
            default = self._convert({}) if frozen else None
            hash(default)
        except (ConnectorError, TypeError):
            return None
        return default


def plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    """A Struct as a dict. Its numbers are doubles on the wire: those without a fraction become int."""
    return {key: _plain_value(value) for key, value in struct.fields.items()}


def _plain_value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and abs(number) <= _EXACT else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "struct_value":
        return plain(value.struct_value)
    if kind == "list_value":
        return [_plain_value(item) for item in value.list_value.values]
    return None


def _invalid(error: msgspec.ValidationError) -> InvalidTaskError:
    match = _AT.match(str(error))
    text, path = (match["text"], match["path"] or "") if match else (str(error), "")
    field = f"custom{path}"
    return InvalidTaskError(f"the task's config does not fit: {field}: {text}", fields={field: text})


def _sentences(fields: Mapping[str, str]) -> str:
    return "; ".join(f"{path}: {sentence}" for path, sentence in fields.items())


def _unknown(value: Any, shape: Any, path: str) -> Iterator[tuple[str, str]]:
    """Fields that the class does not have, with what it has instead."""
    match shape:
        case description.DataclassType() | description.StructType() if isinstance(value, Mapping):
            known = {field.encode_name: field.type for field in shape.fields}
            if isinstance(shape, description.StructType) and shape.tag_field is not None:
                known[shape.tag_field] = description.AnyType()
            for name, item in value.items():
                if name in known:
                    yield from _unknown(item, known[name], _joined(path, name))
                else:
                    yield _joined(path, name), f"unknown field; known are {', '.join(sorted(known)) or 'none'}"
        case description.UnionType():
            candidates = [t for t in shape.types if isinstance(t, description.DataclassType | description.StructType)]
            others = [t for t in shape.types if isinstance(t, description.CollectionType | description.DictType)]
            for only in candidates if len(candidates) == 1 and not others else ():
                yield from _unknown(value, only, path)
        case description.CollectionType() if isinstance(value, list):
            for index, item in enumerate(value):
                yield from _unknown(item, shape.item_type, f"{path}[{index}]")
        case description.DictType() if isinstance(value, Mapping):
            for name, item in value.items():
                yield from _unknown(item, shape.value_type, _joined(path, name))


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
