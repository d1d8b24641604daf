"""The store's SQL by name, and its migrations in order."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
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
    """Bring the schema up to date; its version is kept in `user_version`.

    Several processes may open a new store at once: one of them does it, while the others wait.
    """
    folder = resources.files(__package__).joinpath("migrations")
    scripts = [entry for entry in sorted(folder.iterdir(), key=lambda entry: entry.name) if entry.name.endswith(".sql")]
    if _version(connection) == len(scripts):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        present = _version(connection)
        if present > len(scripts):
            raise StoreError(f"the store was written by a newer version of the runner (schema {present})")
        for script in scripts[present:]:
            for statement in _statements(script.read_text()):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(scripts)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, so that all of them can be part of one transaction."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
