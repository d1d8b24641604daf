"""What an annotation says about a table: `Annotated[DataFrame, kwtypes(a=int), "csv"]`."""

import dataclasses
import sys
import typing
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from connectory.errors import TypeConversionError
from connectory.types.describing import describe_annotation, describe_value
from connectory.types.extras import extras_of
from connectory.types.hints import fields_of
from connectory.v1 import types_pb2

__all__ = ["column_names", "table_type"]

_SIMPLE: Final[Mapping[Any, types_pb2.SimpleType.ValueType]] = {
    int: types_pb2.INTEGER,
    float: types_pb2.FLOAT,
    bool: types_pb2.BOOLEAN,
    str: types_pb2.STRING,
    datetime: types_pb2.DATETIME,
    date: types_pb2.DATETIME,
    timedelta: types_pb2.DURATION,
}
_NUMPY: Final[Mapping[str, types_pb2.SimpleType.ValueType]] = {
    **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"), types_pb2.INTEGER),
    **dict.fromkeys(("float16", "float32", "float64"), types_pb2.FLOAT),
    **dict.fromkeys(("bytes_", "str_", "object_"), types_pb2.STRING),
    "bool": types_pb2.BOOLEAN,
    "bool_": types_pb2.BOOLEAN,
    "datetime64": types_pb2.DATETIME,
    "timedelta64": types_pb2.DURATION,
}


def table_type(annotation: Any) -> types_pb2.StructuredDatasetType:
    """The declared table: columns, format and Arrow schema, each where the annotation says it."""
    declared = types_pb2.StructuredDatasetType()
    for extra in extras_of(annotation):
        if isinstance(extra, str):
            if declared.format:
                raise TypeConversionError(f"a table has one format, not {declared.format!r} and {extra!r}")
            declared.format = extra
        elif isinstance(extra, Mapping) or dataclasses.is_dataclass(extra):
            del declared.columns[:]
            declared.columns.extend(
                types_pb2.StructuredDatasetType.DatasetColumn(name=name, literal_type=_column_type(name, kind))
                for name, kind in _flat(_columns_of(extra))
            )
        elif _is_arrow_schema(extra):
            declared.external_schema_type = "arrow"
            declared.external_schema_bytes = extra.to_string().encode()
    return declared


def column_names(annotation: Any) -> list[str]:
    """The columns that the annotation asks for; empty: all."""
    return [column.name for column in table_type(annotation).columns]


def _columns_of(extra: Any) -> Mapping[str, Any]:
    return extra if isinstance(extra, Mapping) else {field.name: hint for field, hint in fields_of(extra)}


def _flat(columns: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, kind in columns.items():
        if not isinstance(name, str):
            raise TypeConversionError(f"columns have names of type str, not {describe_value(name)}")
        if isinstance(kind, Mapping) or dataclasses.is_dataclass(kind):
            yield from _flat(_columns_of(kind), f"{prefix}{name}.")
        else:
            yield prefix + name, kind


def _column_type(name: str, kind: Any) -> types_pb2.LiteralType:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is list and arguments:
        return types_pb2.LiteralType(collection_type=_column_type(name, arguments[0]))
    if origin is dict and len(arguments) == 2:
        return types_pb2.LiteralType(map_value_type=_column_type(name, arguments[1]))
    if kind in _SIMPLE:
        return types_pb2.LiteralType(simple=_SIMPLE[kind])
    if isinstance(kind, type) and kind.__module__ == "numpy" and kind.__name__ in _NUMPY:
        return types_pb2.LiteralType(simple=_NUMPY[kind.__name__])
    known = ", ".join(one.__name__ for one in _SIMPLE)
    raise TypeConversionError(
        f"a column cannot be a {describe_annotation(kind)}; there are {known}, numpy's numbers, lists and dicts",
        path=name,
    )


def _is_arrow_schema(extra: Any) -> bool:
    arrow = sys.modules.get("pyarrow")  # whoever has a schema has loaded it
    return arrow is not None and isinstance(extra, arrow.Schema)
