"""Bringing the tables of a PostgreSQL database up to date."""

from typing import Any

from connectory.database.contract import Schema
from connectory.database.scripts import missing_scripts, scripts_of

__all__ = ["is_up_to_date", "migrate"]

_LOCK = 0x636F6E6E6563746F
"""The advisory lock that whoever migrates holds: one at a time."""
_CREATE_TABLE = """
CREATE TABLE IF NOT EXISTS schema_versions (
  schema text NOT NULL,
  version bigint NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (schema, version)
)
"""
_CREATE_OWN_TABLE = "CREATE TABLE IF NOT EXISTS {} (version integer NOT NULL)"
_READ = "SELECT coalesce(max(version), 0) FROM schema_versions WHERE schema = $1"
_WRITE = "INSERT INTO schema_versions (schema, version) VALUES ($1, $2)"
_SECONDS = 600.0
"""How long a script may take, and so the wait for somebody else's scripts; large tables take their time."""


async def is_up_to_date(connection: Any, schema: Schema) -> bool:
    """Whether there is nothing to do."""
    return await _version(connection, schema) == len(scripts_of(schema, "postgres"))


async def migrate(connection: Any, schema: Schema, shown: str) -> None:
    """Apply what is missing, all of it or nothing."""
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{_SECONDS:.0f}s'")
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK, timeout=_SECONDS)
        await connection.execute("SET LOCAL lock_timeout TO DEFAULT")
        await connection.execute(_CREATE_OWN_TABLE.format(_table_of(schema)) if schema.is_alone else _CREATE_TABLE)
        for script in missing_scripts(schema, "postgres", await _version(connection, schema), shown):
            await connection.execute(script.text, timeout=_SECONDS)
            await _remember(connection, schema, script.version)


async def _version(connection: Any, schema: Schema) -> int:
    if not await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", _table_of(schema)):
        return 0
    if schema.is_alone:
        return int(await connection.fetchval(f"SELECT coalesce(max(version), 0) FROM {_table_of(schema)}"))
    return int(await connection.fetchval(_READ, schema.name))


async def _remember(connection: Any, schema: Schema, version: int) -> None:
    if schema.is_alone:
        await connection.execute(f"INSERT INTO {_table_of(schema)} (version) VALUES ($1)", version)
    else:
        await connection.execute(_WRITE, schema.name, version)


def _table_of(schema: Schema) -> str:
    return f"{schema.name}_schema" if schema.is_alone else "schema_versions"
