"""A task's `custom` as the connector's own config class, with errors that name the field."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from math import isfinite
from typing import Any

import msgspec
from google.protobuf import struct_pb2
from msgspec import inspect as description

from connectory.connector.shapes import require_json
from connectory.errors import InvalidTaskError

__all__ = ["ConfigReader", "plain"]

_AT = re.compile(r"^(?P<text>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?$", re.DOTALL)
_EXACT = 2**53


class ConfigReader:
    """Reads the config of one connector. Without a config class the config is a plain dict."""

    def __init__(self, config_type: Any) -> None:
        self.config_type = config_type
        self._is_dict = config_type in (dict, dict[str, Any])
        self._shape = None if self._is_dict else require_json(config_type)
        self._is_frozen = _is_frozen(config_type)

    def read(self, custom: struct_pb2.Struct) -> Any:
        """The config. What does not fit, or is not known, is an `InvalidTaskError` naming the field."""
        data = plain(custom)
        if wrong := {path: f"{number} is no number in JSON" for path, number in _no_numbers(data, "custom")}:
            raise InvalidTaskError(f"the task's config does not fit: {_sentences(wrong)}", fields=wrong)
        return self._convert(data)

    def maker(self, custom: struct_pb2.Struct) -> Callable[[], Any]:
        """What gives each task with this `custom` its config: one for all when nobody can change it.

        What does not fit is an `InvalidTaskError` now.
        """
        config = self.read(custom)
        if self._is_frozen and _is_constant(config):
            return lambda: config
        if self._is_dict and not config:
            return dict
        own = struct_pb2.Struct()
        own.CopyFrom(custom)
        return partial(self._read_again, own)

    def _read_again(self, custom: struct_pb2.Struct) -> Any:
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


def _is_frozen(cls: Any) -> bool:
    """Whether the class's objects keep their fields and hash by them."""
    if isinstance(cls, type) and issubclass(cls, msgspec.Struct):
        return cls.__struct_config__.frozen and cls.__struct_config__.eq
    params = getattr(cls, "__dataclass_params__", None)
    return params is not None and params.frozen and params.eq


def _is_constant(value: Any) -> bool:
    """Whether nothing within the value can be changed."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


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


def _no_numbers(value: Any, path: str) -> Iterator[tuple[str, float]]:
    """Where there is something that protobuf takes for a number and nobody can calculate with."""
    if isinstance(value, float):
        if not isfinite(value):
            yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _no_numbers(item, f"{path}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _no_numbers(item, f"{path}[{index}]")


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
