"""The types of the parts of a value: fields of dataclasses, members of lists and dicts."""

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any

from connectory.authoring.conversion import describe
from connectory.authoring.location import authoring_error

__all__ = ["fields_of", "part_of"]


def fields_of(annotation: Any) -> Mapping[str, Any] | None:
    """The types of a dataclass's fields by name; None for what has no fields."""
    kind = _plain(annotation)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return {field.name: hints[field.name] for field in dataclasses.fields(kind)}
    return None


def part_of(annotation: Any, key: str | int, label: str) -> Any:
    """The annotation of the part at a key; a type that has none there is an error that calls the value by its label."""
    kind = _plain(annotation)
    arguments: Sequence[Any] = typing.get_args(kind)
    if typing.get_origin(kind) is list and isinstance(key, int):
        return arguments[0]
    if typing.get_origin(kind) is dict and isinstance(key, str):
        return arguments[1]
    fields = fields_of(kind)
    if fields is not None and isinstance(key, str) and key in fields:
        return fields[key]
    if kind is dict and isinstance(key, str):
        return dict
    raise authoring_error(f"{label} is a {describe(annotation)}, which has nothing at [{key!r}]")


def _plain(annotation: Any) -> Any:
    """The annotation without `Annotated` and without an Optional around it."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _plain(typing.get_args(annotation)[0])
    others = [member for member in typing.get_args(annotation) if member is not NoneType]
    if len(others) == 1 and NoneType in typing.get_args(annotation):
        return _plain(others[0])
    return annotation
