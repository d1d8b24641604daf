"""Values as files, for programs that know no literals: one file per value, text for what is no file."""

import shutil
import typing
from datetime import date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from connectory.errors import TypeConversionError
from connectory.types import Directory, File

__all__ = ["read_value", "write_value"]

_FALSE = frozenset({"false", "0", "no", "f"})


def write_value(value: Any, path: Path) -> None:
    """Write a value: files and folders as they are, texts and numbers as text, everything else as JSON."""
    if isinstance(value, Directory):
        shutil.copytree(value.download(), path, dirs_exist_ok=True)
    elif isinstance(value, File):
        shutil.copyfile(value.download(), path)
    elif isinstance(value, bytes):
        path.write_bytes(value)
    else:
        path.write_text(_text(value))


def read_value(path: Path, annotation: Any) -> Any:
    """The value of this type that a program has written; text that is none is a `TypeConversionError`."""
    if isinstance(annotation, type) and issubclass(annotation, Directory | File):
        return annotation(str(path))
    if annotation is bytes:
        return path.read_bytes()
    text = path.read_text()
    return text if annotation is str else _parsed(text.strip(), annotation, path.name)


def _text(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return f"{value.total_seconds():g}s"
        case Enum():
            return str(value.value)
        case str() | int() | float():
            return str(value)
    return msgspec.json.encode(value).decode()


def _parsed(text: str, annotation: Any, name: str) -> Any:
    try:
        if typing.get_origin(annotation) is typing.Annotated:
            return _parsed(text, typing.get_args(annotation)[0], name)
        if annotation is bool:
            return text.lower() not in _FALSE
        if annotation in (int, float):
            return annotation(text)
        if annotation is timedelta:
            return _duration(text)
        if annotation in (datetime, date):
            return annotation.fromisoformat(text)
        if isinstance(annotation, type) and issubclass(annotation, Enum):
            return annotation(text)
        return msgspec.json.decode(text, type=annotation)
    except (ValueError, msgspec.DecodeError) as error:
        raise TypeConversionError(f"the text {text[:100]!r} is no {annotation}: {error}", path=name) from error


def _duration(text: str) -> timedelta:
    """Seconds (`90`, `90s`), or what Python prints (`1 day, 0:01:30`)."""
    if text.removesuffix("s").replace(".", "", 1).isdigit():
        return timedelta(seconds=float(text.removesuffix("s")))
    days, _, clock = text.rpartition(", ")
    hours, minutes, seconds = clock.split(":")
    return timedelta(
        days=int(days.split()[0]) if days else 0, hours=int(hours), minutes=int(minutes), seconds=float(seconds)
    )
