"""Bringing the tables of a PostgreSQL database up to date."""

from typing import Any

from workflow_runner.store.database.contract import Schema
from workflow_runner.store.database.scripts import missing_scripts, scripts_of

__all__ = ["is_up_to_date", "migrate"]

_LOCK = 0x636F6E6E6563746F
"""The advisory lock that whoever migrates holds: one at a time."""
_FIND_TABLE = "SELECT to_regclass('schema_versions') IS NOT NULL"
_CREATE_TABLE = """
CREATE TABLE IF NOT EXISTS schema_versions (
  schema text NOT NULL,
  version bigint NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (schema, version)
)
"""
_READ = "SELECT coalesce(max(version), 0) FROM schema_versions WHERE schema = $1"
_WRITE = "INSERT INTO schema_versions (schema, version) VALUES ($1, $2)"


async def is_up_to_date(connection: Any, schema: Schema) -> bool:
    """Whether there is nothing to do."""
    return await _version(connection, schema) == len(scripts_of(schema, "postgres"))


async def migrate(connection: Any, schema: Schema, where: str) -> None:
    """Apply what is missing, all of it or nothing."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await connection.execute(_CREATE_TABLE)
        for script in missing_scripts(schema, "postgres", await _version(connection, schema), where):
            await connection.execute(script.text)
            await connection.execute(_WRITE, schema.name, script.version)


async def _version(connection: Any, schema: Schema) -> int:
    if not await connection.fetchval(_FIND_TABLE):
        return 0
    return int(await connection.fetchval(_READ, schema.name))
