"""From a URL to a store."""

from urllib.parse import urlsplit

from connectory.errors import SettingsError
from workflow_runner.store.contract import Store
from workflow_runner.store.sqlite import SqliteStore

__all__ = ["open_store"]


def open_store(url: str, *, owner: str = "") -> Store:
    """The store that a URL names. Not opened yet. `owner`: see `SqlStore`.

    `sqlite:///relative.db`, `sqlite:////absolute.db`, `memory://` or `postgresql://user:password@host/database`. The
    last may be followed by what libpq knows, `?host=/folder/of/socket`, `?sslmode=verify-full` and so on, and by
    settings of the server: `?search_path=schema` keeps the tables in a schema that exists.
    """
    parts = urlsplit(url)
    if parts.scheme == "memory":
        return SqliteStore(":memory:", owner=owner)
    if parts.scheme == "sqlite" and parts.path.strip("/"):
        return SqliteStore(parts.path[1:] if not parts.netloc else f"{parts.netloc}{parts.path}", owner=owner)
    if parts.scheme in ("postgresql", "postgres"):
        return _postgres(url, owner)
    raise SettingsError(
        f"the store URL {url!r} cannot be used; write sqlite:///PATH or memory:// or postgresql://USER@HOST/DATABASE"
    )


def _postgres(url: str, owner: str) -> Store:
    try:
        from workflow_runner.store.postgres import PostgresStore  # noqa: PLC0415  the driver is an extra
    except ModuleNotFoundError as error:
        if error.name != "asyncpg":
            raise
        raise SettingsError("a store in PostgreSQL needs asyncpg: pip install 'connectory[postgres]'") from error
    return PostgresStore(url, owner=owner)
