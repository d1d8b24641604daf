"""JSON-like Python values as protobuf Structs."""

import math
from collections.abc import Mapping
from typing import Any

from google.protobuf import struct_pb2

__all__ = ["fill_struct"]


def fill_struct(struct: struct_pb2.Struct, values: Mapping[str, Any], path: str) -> None:
    """Fill a Struct. A value that JSON does not have is a ValueError that names its path."""
    for key, value in values.items():
        if not isinstance(key, str):
            raise ValueError(f"{path}: the key {key!r} is no text")
        _fill(struct.fields[key], value, f"{path}.{key}")


def _fill(target: struct_pb2.Value, value: Any, path: str) -> None:
    if value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, int | float):
        if not math.isfinite(value):
            raise ValueError(f"{path}: {value} is no JSON number")
        target.number_value = float(value)
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        fill_struct(target.struct_value, value, path)
    elif isinstance(value, list | tuple):
        target.list_value.SetInParent()
        for index, item in enumerate(value):
            _fill(target.list_value.values.add(), item, f"{path}[{index}]")
    else:
        raise ValueError(f"{path}: a value of type {type(value).__name__} is no JSON value")
