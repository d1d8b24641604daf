"""The files of a new connector, from templates that come with this package."""

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from string import Template
from typing import Final, Literal

from connectory.errors import SettingsError
from connectory_cli.scaffold.names import Names

__all__ = ["write"]

_SUFFIX: Final = ".tmpl"
_PACKAGE: Final = "package"


def write(names: Names, folder: Path, kind: Literal["async", "sync"]) -> list[Path]:
    """Make the folder and its files, and answer which. One that is there and not empty is a `SettingsError`."""
    folder = folder.absolute()
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise SettingsError(f"{folder} is there already; nothing is overwritten: name another one with --directory")
    texts = dict(_texts(names, kind))
    try:
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"{error.filename} cannot be written: {error.strerror}; name another --directory"
        ) from error
    return [folder / path for path in texts]


def _texts(names: Names, kind: str) -> Iterator[tuple[PurePosixPath, str]]:
    """Every file by its path."""
    for part in ("both", kind):
        for path, file in _files(resources.files(__package__) / "templates" / part, PurePosixPath()):
            parts = (names.package if word == _PACKAGE else word for word in path.parts)
            text = Template(file.read_text(encoding="utf-8")).substitute(names.as_placeholders())
            yield PurePosixPath(*parts).with_suffix(""), text


def _files(folder: Traversable, below: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _files(entry, below / entry.name)
        elif entry.name.endswith(_SUFFIX):
            yield below / entry.name, entry
