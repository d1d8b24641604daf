"""Whether a class can cross the wire as JSON: asked once, when a connector is registered."""

from collections.abc import Iterator
from typing import Any

from msgspec import inspect as description

__all__ = ["require_json"]

_RECORDS = (description.DataclassType, description.StructType, description.TypedDictType, description.DictType)


def require_json(cls: Any) -> description.Type:
    """The description of a class of records. One that JSON cannot hold is a TypeError that names the part."""
    shape = description.type_info(cls)
    if not isinstance(shape, _RECORDS):
        raise TypeError("it must be a dataclass, a msgspec.Struct or a dict")
    for part in _parts(shape, []):
        if isinstance(part, description.CustomType):
            raise TypeError(f"JSON cannot hold a {part.cls.__qualname__}")
    return shape


def _parts(shape: description.Type, seen: list[Any]) -> Iterator[description.Type]:
    cls = getattr(shape, "cls", None)
    if cls is not None and cls in seen:
        return
    seen.append(cls)
    yield shape
    for inner in _inner(shape):
        yield from _parts(inner, seen)


def _inner(shape: description.Type) -> Iterator[description.Type]:
    match shape:
        case description.DataclassType() | description.StructType() | description.TypedDictType():
            yield from (field.type for field in shape.fields)
        case description.CollectionType():
            yield shape.item_type
        case description.TupleType():
            yield from shape.item_types
        case description.DictType():
            yield from (shape.key_type, shape.value_type)
        case description.UnionType():
            yield from shape.types
