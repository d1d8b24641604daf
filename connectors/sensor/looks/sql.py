"""Does the query give a row?"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any, Final, Literal
from urllib.parse import quote, urlsplit

from connectors.sensor.config import SqlCheck
from connectors.sensor.filling import MASK, Filling
from connectors.sensor.finding import Finding
from connectory.errors import InvalidTaskError, UnavailableError, UserError
from connectory.templating import bind

__all__ = ["look", "rehearse"]

Row = Sequence[Any] | None
Style = Literal["qmark", "numeric_dollar"]

_PERMANENT_SQLITE: Final = ("syntax error", "no such column", "incomplete input", "readonly", "unrecognized token")
_PERMANENT_CLASSES: Final = ("0A", "22", "25", "28", "42")
"""Classes of SQLSTATE that no waiting mends: unsupported, bad data, writes, authorization, syntax and access."""
_REFUSALS: Final = ("authentication failed", "no password supplied", "no pg_hba.conf entry")
"""What libpq says, without a SQLSTATE, when a server lets nobody in with these credentials."""


def look(check: SqlCheck, filling: Filling) -> Finding:
    """One connection, one query, one row.

    A query that can never work is a `UserError`; a database that does not answer now is an `UnavailableError`.
    """
    uri = filling.uri(check.uri)
    style, first_row = _engine(uri)
    query, parameters = bind(check.query, filling.inputs, paramstyle=style)
    row = first_row(uri, query, list(parameters), check.timeout)
    if row is None:
        return Finding(met=False, message="the query gives no row yet")
    if not row or row[0] in (None, False, 0):
        return Finding(met=False, message=f"the query's first value is {row[0] if row else None} yet")
    return Finding(met=True, message="the query gives a row")


def rehearse(check: SqlCheck, filling: Filling) -> None:
    """Raise an `InvalidTaskError` for a database or a parameter that there is not.

    A URI that is a secret from its start is not known yet.
    """
    uri = filling.uri(check.uri, masked=True)
    style = "qmark" if uri.startswith(MASK) else _engine(uri)[0]
    if (urlsplit(uri).password or MASK) != MASK:
        problem = "holds a password as plain text; write {{ .secrets.KEY }} in its place"
        raise InvalidTaskError(f"custom.sql.uri {problem}", fields={"custom.sql.uri": problem})
    bind(check.query, filling.inputs, paramstyle=style)


def _engine(uri: str) -> tuple[Style, Callable[[str, str, list[Any], float], Row]]:
    scheme = uri.partition(":")[0].lower()
    if scheme not in _ENGINES:
        known = ", ".join(f"{name}:" for name in _ENGINES)
        problem = f"is not of a database that a sensor knows; it begins with one of {known}"
        raise InvalidTaskError(f"custom.sql.uri {problem}", fields={"custom.sql.uri": problem})
    return _ENGINES[scheme]


def _sqlite(uri: str, query: str, parameters: list[Any], timeout: float) -> Row:
    try:
        connection = sqlite3.connect(f"file:{quote(_path(uri))}?mode=ro", uri=True, timeout=timeout)
        with closing(connection):
            row: Row = connection.execute(query, parameters).fetchone()
            return row
    except (sqlite3.Error, sqlite3.Warning) as error:
        permanent = not isinstance(error, sqlite3.OperationalError) or any(
            text in str(error) for text in _PERMANENT_SQLITE
        )
        raise _failure(error, permanent=permanent) from error


def _duckdb(uri: str, query: str, parameters: list[Any], timeout: float) -> Row:
    import duckdb  # noqa: PLC0415 - an optional technology, loaded by the first task that names it

    try:
        with duckdb.connect(_path(uri), read_only=True) as connection:
            row: Row = connection.execute(query, parameters).fetchone()
            return row
    except duckdb.Error as error:
        raise _failure(error, permanent=not isinstance(error, duckdb.OperationalError)) from error


def _postgres(uri: str, query: str, parameters: list[Any], timeout: float) -> Row:
    from adbc_driver_postgresql import dbapi  # noqa: PLC0415 - optional too

    try:
        with dbapi.connect(uri) as connection, connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {int(timeout * 1000)}")
            cursor.execute(query, parameters=parameters or None)
            row: Row = cursor.fetchone()
            return row
    except dbapi.Error as error:
        permanent = (error.sqlstate or "")[:2] in _PERMANENT_CLASSES or any(text in str(error) for text in _REFUSALS)
        raise _failure(error, permanent=permanent) from error


_ENGINES: Final[Mapping[str, tuple[Style, Callable[[str, str, list[Any], float], Row]]]] = {
    "sqlite": ("qmark", _sqlite),
    "duckdb": ("qmark", _duckdb),
    "postgresql": ("numeric_dollar", _postgres),
    "postgres": ("numeric_dollar", _postgres),
}


def _path(uri: str) -> str:
    """The file that a URI names: `sqlite:///data/x.db` and `sqlite:////data/x.db` are both `/data/x.db`."""
    path = urlsplit(uri).path
    return path.removeprefix("/") if path.startswith("//") else path


def _failure(error: Exception, *, permanent: bool) -> UserError | UnavailableError:
    text = " ".join(str(error).split())
    if permanent:
        return UserError(f"the query can't work: {text}", reason="BAD_QUERY")
    return UnavailableError(f"the database does not answer the query now: {text}")
