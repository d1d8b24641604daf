"""A PostgreSQL database as whoever is to use it meets it. Only asks; makes nothing."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

__all__ = ["DatabaseFacts", "database_facts", "is_postgres", "shown"]

_LOOK = """
SELECT extract(epoch FROM clock_timestamp())::float8 AS now,
       current_setting('server_version') AS version,
       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
       to_regclass('schema_versions') IS NOT NULL AS has_versions,
       to_regclass('connectory_ledger_schema') IS NOT NULL AS has_ledger,
       pg_is_in_recovery() AS is_standby
"""


@dataclass(frozen=True, kw_only=True)
class DatabaseFacts:
    """What was learned; with `trouble` nothing else was."""

    trouble: str = ""
    remedy: str = ""
    version: str = ""
    may_create: bool = False
    is_standby: bool = False
    ahead: float | None = None
    """Seconds by which the database's clock is ahead of ours."""
    schemas: Mapping[str, int] = field(default_factory=dict)
    """The version of each set of tables that there is."""


def is_postgres(url: str) -> bool:
    """Whether the URL is one of PostgreSQL."""
    return url.startswith(("postgresql://", "postgres://"))


def shown(url: str) -> str:
    """The URL without user, password and parameters."""
    rest = url.partition("://")[2].partition("?")[0]
    return f"postgresql://{rest.rpartition('@')[2]}"


@lru_cache(maxsize=8)
def database_facts(url: str, wait: float) -> DatabaseFacts:
    """Ask the database, once for all checks."""
    try:
        # Optional: the driver is an extra.
        import asyncpg  # noqa: PLC0415
    except ModuleNotFoundError:
        return DatabaseFacts(
            trouble="PostgreSQL's driver is not installed", remedy="pip install 'connectory[postgres]'"
        )
    try:
        return asyncio.run(_asked(asyncpg, url, wait))
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        return DatabaseFacts(trouble=str(error), remedy="correct user and password (in the URL, or PGPASSWORD)")
    except asyncpg.InvalidCatalogNameError as error:
        return DatabaseFacts(trouble=str(error), remedy="create the database, or name one that exists")
    except TimeoutError:
        remedy = "see that the database runs and that this machine may reach it"
        return DatabaseFacts(trouble=f"it gave no answer within {wait:g} seconds", remedy=remedy)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
        remedy = "see that the database runs, that the URL is right and that this machine may reach it"
        return DatabaseFacts(trouble=f"{type(error).__name__}: {error}", remedy=remedy)


async def _asked(asyncpg: Any, url: str, wait: float) -> DatabaseFacts:
    async with asyncio.timeout(wait):
        connection = await asyncpg.connect(url, timeout=wait, command_timeout=wait)
        try:
            begun = time.time()
            row = await connection.fetchrow(_LOOK)
            ended = time.time()
            schemas: dict[str, int] = {}
            if row["has_versions"]:
                query = "SELECT schema, max(version) AS version FROM schema_versions GROUP BY schema"
                schemas = {one["schema"]: one["version"] for one in await connection.fetch(query)}
            if row["has_ledger"]:
                newest = "SELECT coalesce(max(version), 0) FROM connectory_ledger_schema"
                schemas.setdefault("ledger", await connection.fetchval(newest))
        finally:
            await connection.close(timeout=1.0)
    return DatabaseFacts(
        version=row["version"],
        may_create=row["may_create"],
        is_standby=row["is_standby"],
        ahead=row["now"] - (begun + ended) / 2,
        schemas=schemas,
    )
