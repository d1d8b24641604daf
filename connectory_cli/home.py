"""Where the command line keeps things between its runs, when nothing else is said."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from connectory.database.postgres_urls import check_url, shown_url
from connectory.errors import SettingsError, StorageError
from connectory.places import state_folder
from connectory.storage.urls import CLOUD_SCHEMES, MEMORY_SCHEME, Location, local_path, scheme_of

__all__ = ["Places", "make_room", "places"]


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where one run keeps its store, its outputs and the memory of its embedded connector server."""

    store: str
    """The store's URL."""
    file: Path | None
    """The store's file; None: it is not in a file."""
    outputs: str
    """The URL below which nodes write."""
    shown: str
    """The store's URL without its password, for messages."""
    ledger: str
    """What the embedded connector server remembers creates in: a file beside the store, its database, or "memory"."""


def places(store: str | None, outputs: str | None = None) -> Places:
    """Fill in what was not said. Nothing is made."""
    state = state_folder()
    outputs = _output_prefix(outputs) if outputs is not None else None
    url = store or f"sqlite:///{state / 'runner.db'}"
    if url.startswith(("postgresql://", "postgres://")):
        check_url(url)
        return Places(
            store=url,
            file=None,
            outputs=outputs or str(state / "outputs"),
            shown=shown_url(url, options=True),
            ledger=url,
        )
    parts = urlsplit(url)
    if parts.scheme != "sqlite" or not parts.path.strip("/"):
        return Places(store=url, file=None, outputs=outputs or str(state / "outputs"), shown=url, ledger="memory")
    path = Path(f"{parts.netloc}{parts.path}" if parts.netloc else parts.path[1:]).absolute()
    return Places(
        store=url,
        file=path,
        outputs=outputs or str(path.parent / f"{path.stem}-outputs"),
        shown=url,
        ledger=str(path.with_name(f"{path.stem}-ledger.db")),
    )


def _output_prefix(url: str) -> str:
    """A place that outputs can be written to: a URL, or a path, which is made one that holds in every folder."""
    scheme = scheme_of(url)
    try:
        if scheme in CLOUD_SCHEMES:
            Location.parse(url)
            return url
        if scheme == "file":
            local_path(url)
        if scheme in ("file", MEMORY_SCHEME):
            return url
    except StorageError as error:
        raise SettingsError(f"--output-prefix cannot be used: {error}") from error
    if scheme or re.match(r"[a-z0-9]{2,}:", url) or not url:
        raise SettingsError(
            f"--output-prefix {url!r} cannot be used; write a path, or a URL that begins with"
            f" {', '.join(f'{each}://' for each in sorted({*CLOUD_SCHEMES, 'file'}))}"
        )
    return str(Path(url).absolute())


def make_room(where: Places) -> None:
    """Make the folder of the store, or see that it can be written to; the store's own file is not made."""
    if where.file is None:
        return
    folder = where.file.parent
    remedy = "say where executions are kept with --store or CONNECTORY_HOME"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"the folder {folder} cannot be made: {error.strerror}; {remedy}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsError(f"the folder {folder} cannot be written to; {remedy}")
