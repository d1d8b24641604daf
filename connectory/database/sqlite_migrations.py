"""Bringing the tables of an SQLite database up to date."""

import sqlite3
from collections.abc import Iterator

from connectory.database.contract import Schema
from connectory.database.scripts import missing_scripts, scripts_of

__all__ = ["is_up_to_date", "migrate"]

_FIRST_SCHEMA = "executions"
"""Its version was kept in `user_version` before there was a table for it, and is still kept there as well: runners from
that time look at it, and leave a file alone that is newer than they are."""
_FIND_TABLE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_versions'"
_CREATE_TABLE = """
CREATE TABLE schema_versions (
  schema TEXT NOT NULL,
  version INTEGER NOT NULL,
  applied_at REAL NOT NULL,
  PRIMARY KEY (schema, version)
) WITHOUT ROWID
"""
_READ = "SELECT coalesce(max(version), 0) FROM schema_versions WHERE schema = ?"
_WRITE = "INSERT INTO schema_versions (schema, version, applied_at) VALUES (?, ?, store_now())"


def is_up_to_date(connection: sqlite3.Connection, schema: Schema) -> bool:
    """Whether there is nothing to do."""
    return _version(connection, schema) == len(scripts_of(schema, "sqlite"))


def migrate(connection: sqlite3.Connection, schema: Schema, shown: str) -> None:
    """Apply what is missing; within a transaction that has the file for itself."""
    present = _version(connection, schema)
    missing = missing_scripts(schema, "sqlite", present, shown)
    if not schema.is_alone and connection.execute(_FIND_TABLE).fetchone() is None:
        connection.execute(_CREATE_TABLE)
        if schema.name == _FIRST_SCHEMA:
            connection.executemany(_WRITE, [(schema.name, version) for version in range(1, present + 1)])
    for script in missing:
        for statement in _statements(script.text):
            connection.execute(statement)
        if not schema.is_alone:
            connection.execute(_WRITE, (schema.name, script.version))
    if schema.is_alone or schema.name == _FIRST_SCHEMA:
        connection.execute(f"PRAGMA user_version = {present + len(missing)}")


def _version(connection: sqlite3.Connection, schema: Schema) -> int:
    if schema.is_alone:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    if connection.execute(_FIND_TABLE).fetchone() is not None:
        return int(connection.execute(_READ, (schema.name,)).fetchone()[0])
    if schema.name == _FIRST_SCHEMA:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    return 0


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, so that all of them can be part of one transaction."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
