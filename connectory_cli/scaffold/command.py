"""`connectory new connector`."""

import sys
from pathlib import Path

from connectory.connector.discovery import discover
from connectory.errors import SettingsError
from connectory_cli.scaffold.names import Names, named
from connectory_cli.scaffold.writing import write

__all__ = ["new_connector"]


def new_connector(name: str, directory: Path | None, *, sync: bool) -> int:
    """Write an installable connector, and say what to do with it."""
    names = named(name)
    _refuse_taken(names, name)
    folder = directory or Path(names.project)
    written = write(names, folder, "sync" if sync else "async")
    for path in written:
        sys.stdout.write(f"{path}\n")
    sys.stderr.write(
        f"written. Go on with:\n  cd {folder}\n  pip install -e . pytest pytest-asyncio\n  pytest\n  connectory serve\n"
    )
    return 0


def _refuse_taken(names: Names, name: str) -> None:
    for registration in discover().list():
        if any(category.name == names.task_type for category in registration.categories):
            raise SettingsError(
                f"NAME={name!r} cannot be used: task type {names.task_type!r} is answered by connector"
                f" {registration.name} ({registration.source}) here already; choose another name"
            )
