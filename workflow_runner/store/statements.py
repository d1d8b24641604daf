"""The store's SQL by name, and its migrations in order."""

import re
import sqlite3
from collections.abc import Mapping
from importlib import resources

from connectory.errors import StoreError

__all__ = ["load_statements", "migrate"]

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def load_statements() -> Mapping[str, str]:
    """Every statement of `queries.sql` by its name."""
    text = resources.files(__package__).joinpath("queries.sql").read_text()
    parts = _NAME.split(text)[1:]
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date; its version is kept in `user_version`."""
    folder = resources.files(__package__).joinpath("migrations")
    scripts = sorted((entry.name, entry) for entry in folder.iterdir() if entry.name.endswith(".sql"))
    present = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if present > len(scripts):
        raise StoreError(f"the store was written by a newer version of the runner (schema {present})")
    for number, (_, script) in enumerate(scripts, start=1):
        if number > present:
            connection.executescript(f"BEGIN IMMEDIATE; {script.read_text()}; PRAGMA user_version = {number}; COMMIT")
