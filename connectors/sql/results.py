"""From record batches to what the task declared: a Parquet file, or values."""

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from connectory.errors import UserError
from connectory.types.kinds import Kind, kind_of
from connectory.v1 import interface_pb2

__all__ = ["read_values", "write_parquet"]

_NUMERIC: Final = "numeric"
_JSON: Final = "arrow.json"


def write_parquet(reader: pa.RecordBatchReader, path: Path) -> int:
    """Write all rows, batch by batch; the answer is their number."""
    schema = pa.schema([(field.name, _stored_type(field)) for field in reader.schema])
    rows = 0
    with pq.ParquetWriter(path, schema) as writer:
        for batch in reader:
            columns = [_stored(batch.column(place), field) for place, field in enumerate(schema)]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
            rows += batch.num_rows
    return rows


def read_values(
    reader: pa.RecordBatchReader | None, outputs: interface_pb2.VariableMap, max_rows: int
) -> tuple[dict[str, Any], int]:
    """The declared outputs as values, and the number of rows.

    One list output: every row, as a dict, or as its only value when the list is of plain values. Otherwise there must
    be one row: one dict output gets it whole, one plain output gets its only value, several get the columns that are
    named as they are.
    """
    names = list(outputs.variables)
    if not names:
        return {}, 0 if reader is None else sum(batch.num_rows for batch in reader)
    rows = [] if reader is None else _rows(reader, max_rows)
    if len(names) == 1:
        columns = [] if reader is None else reader.schema.names
        return {names[0]: _single(names[0], outputs.variables[names[0]].type, rows, columns)}, len(rows)
    row = _only(rows, f"the outputs {', '.join(names)}")
    missing = [name for name in names if name not in row]
    if missing:
        raise UserError(f"no column is called {missing[0]!r}; there are {', '.join(row) or 'none'}", reason="NO_COLUMN")
    return {name: _value(row[name]) for name in names}, 1


def _rows(reader: pa.RecordBatchReader, max_rows: int) -> list[Mapping[str, Any]]:
    names = reader.schema.names
    if len(set(names)) < len(names):
        raise UserError(f"two columns have one name: {', '.join(names)}; name them apart with AS", reason="SAME_COLUMN")
    numeric = {field.name for field in reader.schema if _extension(field.type) == _NUMERIC}
    rows: list[Mapping[str, Any]] = []
    for batch in reader:
        if len(rows) + batch.num_rows > max_rows:
            text = f"the result has more than {max_rows} rows, the most that become values; declare a StructuredDataset"
            raise UserError(f"{text}, or set max_rows", reason="TOO_MANY_ROWS")
        rows.extend(batch.to_pylist())
    return [{**row, **{name: _number(row[name]) for name in numeric}} for row in rows] if numeric else rows


def _single(name: str, literal_type: Any, rows: list[Mapping[str, Any]], columns: list[str]) -> Any:
    kind = kind_of(literal_type)
    if kind is Kind.LIST:
        if kind_of(literal_type.collection_type) in (Kind.STRUCT, Kind.MAP):
            return [_plain(row) for row in rows]
        _one_column(name, columns)
        return [_value(row[columns[0]]) for row in rows]
    row = _only(rows, f"output {name!r}")
    if kind in (Kind.STRUCT, Kind.MAP):
        return _plain(row)
    if name in row:
        return _value(row[name])
    _one_column(name, columns)
    return _value(row[columns[0]])


def _one_column(name: str, columns: list[str]) -> None:
    if len(columns) != 1:
        text = f"output {name!r} takes one column, the result has {len(columns)}: {', '.join(columns)}"
        raise UserError(text, reason="NOT_ONE_COLUMN")


def _only(rows: list[Mapping[str, Any]], what: str) -> Mapping[str, Any]:
    if len(rows) != 1:
        raise UserError(f"{what}: the result must have one row, it has {len(rows)}", reason="NOT_ONE_ROW")
    return rows[0]


def _value(value: Any) -> Any:
    """A value of the database as one of the kind that tasks exchange."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime():
            return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        case date():
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        case UUID() | time():
            return str(value)
        case pa.MonthDayNano():
            return _span(value)
        case list():
            return [_value(item) for item in value]
        case dict():
            return {key: _value(item) for key, item in value.items()}
    return value


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as a dict of what a structure can hold: moments and spans as text."""
    return {name: _written(_value(value)) for name, value in row.items()}


def _written(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes():
            return value.hex()
        case float() if not math.isfinite(value):
            return None
        case list():
            return [_written(item) for item in value]
        case dict():
            return {key: _written(item) for key, item in value.items()}
    return value


def _span(value: Any) -> timedelta:
    if value.months:
        raise UserError("an interval of months has no fixed length; compute a number in the query", reason="INTERVAL")
    return timedelta(days=value.days, microseconds=value.nanoseconds // 1000)


def _number(text: str | None) -> int | float | None:
    """PostgreSQL's numeric, which arrives as text."""
    if text is None:
        return None
    number = Decimal(text)
    return _value(number) if number.is_finite() else float(text)


def _extension(kind: pa.DataType) -> str:
    if isinstance(kind, pa.OpaqueType):
        return str(kind.type_name)
    return str(kind.extension_name) if isinstance(kind, pa.BaseExtensionType) else ""


def _stored_type(field: pa.Field) -> pa.DataType:
    """The type that a column has in the file."""
    kind = field.type
    if _extension(kind) == _NUMERIC:
        return pa.float64()
    if isinstance(kind, pa.BaseExtensionType) or pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_interval(kind):
        text = f"column {field.name!r} is an interval, which Parquet cannot hold; convert it in the query"
        raise UserError(text, reason="INTERVAL")
    return kind


def _stored(column: pa.Array, field: pa.Field) -> pa.Array:
    if not isinstance(column.type, pa.BaseExtensionType):
        return column.cast(field.type)
    if _extension(column.type) in (_NUMERIC, _JSON) or isinstance(column.type, pa.OpaqueType):
        return column.storage.cast(field.type)
    return pa.array([None if value is None else str(value) for value in column.to_pylist()], field.type)
