"""PostgreSQL, through ADBC: results arrive as record batches, and a running statement is cancelled on the server."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import adbc_driver_manager
import pyarrow as pa
from adbc_driver_postgresql import dbapi

from connectors.sql.database import Target, with_parameters
from connectors.sql.engines.contract import Failure
from connectory.errors import UnavailableError

__all__ = ["end_sessions", "failure_of", "has_session", "open_session"]

_CONNECT_SECONDS: Final = "10"
_END_SECONDS: Final = 10.0
_RETRYABLE_CLASSES: Final = ("08", "53", "57P", "40")
"""SQLSTATE: connection, resources, shutdown, serialization failures and deadlocks."""
_PASSING: Final = ("too many", "connection slots", "starting up", "shutting down", "recovery", "terminating connection")
_SESSIONS: Final = "FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()"
_WAIT_SECONDS: Final = 0.05


class PostgresqlSession:
    """A connection to a server."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._cursor = connection.cursor()

    def execute(self, query: str, parameters: Sequence[Any]) -> pa.RecordBatchReader | None:
        """Run one statement; its rows are fetched while they are read."""
        self._cursor.execute(query, list(parameters) or None)
        if not self._cursor.description:
            return None
        reader: pa.RecordBatchReader = self._cursor.fetch_record_batch()
        return reader

    def commit(self) -> None:
        """Make the changes permanent."""
        self._connection.commit()

    def cancel(self) -> None:
        """End what runs now, on the server."""
        self._cursor.adbc_cancel()

    def close(self) -> None:
        """Leave the database."""
        self._cursor.close()
        self._connection.close()


def open_session(target: Target, name: str, *, read_only: bool) -> PostgresqlSession:
    """Connect, under `name` as the application's name."""
    session = PostgresqlSession(dbapi.connect(_address(target, name)))
    if read_only:
        session.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", [])
        session.commit()
    return session


def failure_of(error: Exception) -> Failure | None:
    """PostgreSQL's own words with its SQLSTATE; what has to do with the connection or its load may work again."""
    if not isinstance(error, adbc_driver_manager.Error | OSError):
        return None
    state = getattr(error, "sqlstate", None) or ""
    status = getattr(getattr(error, "status_code", None), "name", "")
    message = _shortened(str(error))
    connection = not state and (isinstance(error, OSError) or status in ("IO", "UNKNOWN")) and not _is_refusal(message)
    retryable = connection or state.startswith(_RETRYABLE_CLASSES)
    if state == "25006":
        message += " (the task is read-only; with read_only = false it may change the database)"
    return Failure(
        code=state or status or "CONNECTION",
        message=message,
        kind="system" if retryable else "user",
        retryable=retryable,
    )


def end_sessions(target: Target, name: str) -> bool:
    """Terminate the sessions of this name and wait until they are gone."""
    with _administration(target) as cursor:
        cursor.execute(f"SELECT pg_terminate_backend(pid) {_SESSIONS}", [name])
        found = bool(cursor.fetchall())
        deadline = time.monotonic() + _END_SECONDS
        while _count(cursor, name):
            if time.monotonic() > deadline:
                raise UnavailableError(f"the session {name} is still ending; ask again")
            time.sleep(_WAIT_SECONDS)
    return found


def has_session(target: Target, name: str) -> bool:
    """Whether a session of this name exists."""
    with _administration(target) as cursor:
        return _count(cursor, name) > 0


@contextmanager
def _administration(target: Target) -> Iterator[Any]:
    try:
        with (
            dbapi.connect(_address(target, "connectory"), autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            yield cursor
    except adbc_driver_manager.Error as error:
        raise UnavailableError(f"the database cannot be asked about the job: {_shortened(str(error))}") from error


def _count(cursor: Any, name: str) -> int:
    cursor.execute(f"SELECT count(*) {_SESSIONS}", [name])
    return int(cursor.fetchone()[0])


def _is_refusal(message: str) -> bool:
    """Whether the server answered the connection, and with a no that stays: the driver hands over no SQLSTATE then."""
    return "FATAL:" in message and not any(word in message for word in _PASSING)


def _address(target: Target, name: str) -> str:
    return with_parameters(target.address, application_name=name, connect_timeout=_CONNECT_SECONDS)


def _shortened(text: str) -> str:
    """The message without the repeated query and without the driver's own prefixes."""
    return text.partition("\n\nQuery was:")[0].strip()
