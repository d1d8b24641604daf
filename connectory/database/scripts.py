"""The numbered scripts of a schema, and which of them a database still lacks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from connectory.database.contract import Dialect, NewerTablesError, Schema

__all__ = ["Script", "missing_scripts", "scripts_of"]

_FILE = re.compile(r"(\d{4})_\w+\.sql")


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """One step from a version to the next."""

    version: int
    """That the database has afterwards."""
    text: str


@lru_cache(maxsize=64)
def scripts_of(schema: Schema, dialect: Dialect) -> Sequence[Script]:
    """All scripts in order, numbered from 1 on without a gap."""
    folder = resources.files(schema.package).joinpath(dialect)
    files = sorted((each.name, each) for each in folder.iterdir() if each.name.endswith(".sql"))
    for number, (name, _) in enumerate(files, 1):
        match = _FILE.fullmatch(name)
        if match is None or int(match[1]) != number:
            raise ValueError(f"schema {schema.name!r}: {dialect}/{name} is not called {number:04}_what_it_does.sql")
    return [Script(version=number, text=file.read_text()) for number, (_, file) in enumerate(files, 1)]


def missing_scripts(schema: Schema, dialect: Dialect, present: int, shown: str) -> Sequence[Script]:
    """What a database of version `present` lacks. A NewerTablesError when it is ahead."""
    scripts = scripts_of(schema, dialect)
    if present > len(scripts):
        raise NewerTablesError(
            f"{shown} was written by a newer version of this program: its {schema.name!r} tables have version "
            f"{present}, this one knows up to {len(scripts)}; use the newer one"
        )
    return scripts[present:]
