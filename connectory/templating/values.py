"""Native values as text, and as parameters of a query."""

import dataclasses
import enum
import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from connectory.errors import InvalidTaskError
from connectory.types import Directory, File, StructuredDataset

__all__ = ["as_parameter", "as_text"]


def as_text(name: str, value: Any) -> str:
    """A value as it appears in text.

    Text as it is; numbers as Python writes them; true and false; None as nothing; dates and times in ISO 8601; lengths
    of time in seconds; enum members by value; files and tables by URI; lists, dicts and dataclasses as JSON. Bytes are
    no text.
    """
    simple = _simple(value)
    match simple:
        case str():
            return simple
        case None:
            return ""
        case bool():
            return "true" if simple else "false"
        case bytes():
            raise InvalidTaskError(f"{name} is bytes, which cannot be put into text; pass it as str")
        case date():
            return simple.isoformat()
        case timedelta():
            return _seconds(simple)
        case list() | tuple() | Mapping():
            return _json(name, simple)
        case _:
            return str(simple)


def as_parameter(name: str, value: Any) -> Any:
    """A value as a query's parameter: None, bool, numbers, text, bytes, dates and times as they are; a list of such.

    Enum members by value; files and tables by URI; dicts and dataclasses as JSON text.
    """
    simple = _simple(value)
    if isinstance(simple, list | tuple):
        return [as_parameter(name, item) for item in simple]
    return _json(name, simple) if isinstance(simple, Mapping) else simple


def _simple(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, File | Directory | StructuredDataset):
        return value.uri
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return value


def _seconds(span: timedelta) -> str:
    seconds = span.total_seconds()
    return str(int(seconds)) if seconds.is_integer() else repr(seconds)


def _json(name: str, value: Any) -> str:
    def inner(part: Any) -> Any:
        simple = _simple(part)
        if simple is not part:
            return simple
        if isinstance(part, timedelta):
            return part.total_seconds()
        return as_text(name, part)

    try:
        return json.dumps(value, default=inner, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidTaskError(f"{name} cannot be written as JSON: {error}") from error
