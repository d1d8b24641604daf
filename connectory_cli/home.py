"""Where the command line keeps things between its runs, when nothing else is said."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["Places", "home", "places"]


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where one run keeps its store, its outputs and the memory of its embedded connector server."""

    store: str
    """The store's URL."""
    outputs: str
    """The URL below which nodes write."""
    ledger: str
    """What the embedded connector server remembers creates in: a file beside the store, or "memory"."""


def home() -> Path:
    """`CONNECTORY_HOME`, or the folder for state that the platform gives a user."""
    if given := os.environ.get("CONNECTORY_HOME"):
        return Path(given).absolute()
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "connectory"


def places(store: str | None, outputs: str | None = None) -> Places:
    """Fill in what was not said. Folders that are named here are made; the store's own file is not."""
    url = store or f"sqlite:///{home() / 'runner.db'}"
    parts = urlsplit(url)
    if parts.scheme != "sqlite":
        return Places(store=url, outputs=outputs or str(home() / "outputs"), ledger="memory")
    path = Path(f"{parts.netloc}{parts.path}" if parts.netloc else parts.path[1:]).absolute()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Places(
        store=url,
        outputs=outputs or str(path.parent / f"{path.stem}-outputs"),
        ledger=str(path.with_name(f"{path.stem}-ledger.db")),
    )
