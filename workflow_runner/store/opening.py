"""From a URL to a store."""

from urllib.parse import urlsplit

from connectory.errors import SettingsError
from workflow_runner.store.contract import Store
from workflow_runner.store.sqlite import SqliteStore

__all__ = ["open_store"]


def open_store(url: str) -> Store:
    """The store that a URL names: `sqlite:///relative.db`, `sqlite:////absolute.db` or `memory://`. Not opened yet."""
    parts = urlsplit(url)
    if parts.scheme == "memory":
        return SqliteStore(":memory:")
    if parts.scheme == "sqlite" and parts.path.strip("/"):
        return SqliteStore(parts.path[1:] if not parts.netloc else f"{parts.netloc}{parts.path}")
    raise SettingsError(f"the store URL {url!r} cannot be used; write sqlite:///PATH or memory://")
