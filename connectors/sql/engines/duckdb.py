"""DuckDB, embedded."""

from collections.abc import Sequence
from typing import Any, Final

import duckdb
import pyarrow as pa

from connectors.sql.database import Target
from connectors.sql.engines.contract import Failure
from connectory.errors import UserError

__all__ = ["end_sessions", "failure_of", "has_session", "open_session"]

_BATCH: Final = 65536
_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {"autoinstall_known_extensions": "false"}
"""Nothing is fetched from the network behind the operator's back."""


class DuckdbSession:
    """A connection to a file or to memory."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        connection.begin()

    def execute(self, query: str, parameters: Sequence[Any]) -> pa.RecordBatchReader | None:
        """Run one statement."""
        statements = self._connection.extract_statements(query)
        if len(statements) != 1:
            raise UserError(f"the query must be one statement, not {len(statements)}", reason="SEVERAL_STATEMENTS")
        relation = self._connection.sql(query, params=list(parameters) or None)
        if relation is None:
            return None
        read = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
        reader: pa.RecordBatchReader = read(_BATCH)
        return reader

    def commit(self) -> None:
        """Make the changes permanent."""
        self._connection.commit()

    def cancel(self) -> None:
        """End what runs now."""
        self._connection.interrupt()

    def close(self) -> None:
        """Leave the database."""
        self._connection.close()


def open_session(target: Target, name: str, *, read_only: bool) -> DuckdbSession:
    """Connect. A file that is only read must exist, and is opened so that it cannot be changed."""
    address = target.address or ":memory:"
    return DuckdbSession(duckdb.connect(address, read_only=read_only and bool(target.address), config=_CONFIG))


def failure_of(error: Exception) -> Failure | None:
    """DuckDB's own words; a file that another process has locked may be free later."""
    if not isinstance(error, duckdb.Error) and "INTERRUPT" not in str(error):
        return None
    message = str(error)
    locked = isinstance(error, duckdb.IOException) and "lock" in message
    if "read-only" in message:
        message += " (the task is read-only; with read_only = false it may change the database)"
    return Failure(code=type(error).__name__, message=message, kind="system" if locked else "user", retryable=locked)


def end_sessions(target: Target, name: str) -> bool:
    """There is no server: sessions end with their process."""
    return False


def has_session(target: Target, name: str) -> bool:
    """There is no server."""
    return False
