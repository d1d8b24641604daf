"""SQLite, through the interpreter's own library, whose `interrupt` ends a running statement."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import pyarrow as pa

from connectors.sql.database import Target
from connectors.sql.engines.contract import Failure
from connectory.errors import UserError

__all__ = ["end_sessions", "failure_of", "has_session", "open_session"]

_BATCH: Final = 65536
_BUSY_SECONDS: Final = 30.0
_RETRYABLE: Final = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_FULL")


class SqliteSession:
    """A connection to a file or to memory."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("BEGIN")

    def execute(self, query: str, parameters: Sequence[Any]) -> pa.RecordBatchReader | None:
        """Run one statement; its columns have the types that its first rows have."""
        cursor = self._connection.execute(query, [_parameter(value) for value in parameters])
        if cursor.description is None:
            return None
        names = [column[0] for column in cursor.description]
        first = cursor.fetchmany(_BATCH)
        schema = pa.schema([(name, _type(row[place] for row in first)) for place, name in enumerate(names)])
        return pa.RecordBatchReader.from_batches(schema, _batches(cursor, first, schema))

    def commit(self) -> None:
        """Make the changes permanent."""
        self._connection.commit()

    def cancel(self) -> None:
        """End what runs now."""
        self._connection.interrupt()

    def close(self) -> None:
        """Leave the database."""
        self._connection.close()


def open_session(target: Target, name: str, *, read_only: bool) -> SqliteSession:
    """Connect. A file that is only read must exist, and is opened so that it cannot be changed."""
    if not target.address:
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    else:
        mode = "ro" if read_only else "rwc"
        address = f"file:{quote(target.address)}?mode={mode}"
        options: dict[str, Any] = {"isolation_level": None, "check_same_thread": False, "timeout": _BUSY_SECONDS}
        connection = sqlite3.connect(address, uri=True, **options)
    return SqliteSession(connection)


def failure_of(error: Exception) -> Failure | None:
    """SQLite's own words; a busy or failing disk may work again."""
    if not isinstance(error, sqlite3.Error | sqlite3.Warning):
        return None
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    retryable = name.startswith(_RETRYABLE)
    message = str(error)
    if name == "SQLITE_READONLY":
        message += " (the task is read-only; with read_only = false it may change the database)"
    return Failure(code=name, message=message, kind="system" if retryable else "user", retryable=retryable)


def end_sessions(target: Target, name: str) -> bool:
    """There is no server: sessions end with their process."""
    return False


def has_session(target: Target, name: str) -> bool:
    """There is no server."""
    return False


def _parameter(value: Any) -> Any:
    """SQLite knows numbers, text and bytes: moments are text in UTC, as its own functions write them."""
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo is not None else value
        return moment.replace(tzinfo=None).isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, list):
        raise UserError("SQLite has no lists: a list can only be used after IN", reason="LIST_PARAMETER")
    return value


def _type(values: Iterator[Any]) -> pa.DataType:
    found = {type(value) for value in values if value is not None}
    if found <= {int}:
        return pa.int64()
    if found <= {int, float}:
        return pa.float64()
    return pa.binary() if found == {bytes} else pa.string()


def _batches(cursor: sqlite3.Cursor, rows: list[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    number = 0
    while rows:
        columns = [_column(field, [row[place] for row in rows], number) for place, field in enumerate(schema)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)
        number += len(rows)
        rows = cursor.fetchmany(_BATCH)


def _column(field: pa.Field, values: list[Any], number: int) -> pa.Array:
    try:
        if pa.types.is_string(field.type) and not number:
            values = [value if value is None or isinstance(value, str) else _text(value) for value in values]
        return pa.array(values, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        text = f"column {field.name!r} is {field.type} in its first rows, but not after row {number}: {error}"
        raise UserError(f"{text}; CAST it in the query", reason="MIXED_COLUMN") from error


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
