"""Whether plain data fits a JSON schema, as far as the schemas of dataclasses say it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = ["misfit"]

_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list, tuple),
    "string": (str, bytes),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
_DEFINITIONS: Final = "#/$defs/"


def misfit(value: Any, schema: Mapping[str, Any]) -> str | None:
    """Where and why a value does not fit, in words; None when it fits, or the schema says nothing about it.

    Formats and lengths are not looked at.
    """
    return _misfit(value, schema, schema.get("$defs", {}), "")


def _misfit(value: Any, schema: Any, definitions: Mapping[str, Any], path: str) -> str | None:
    if not isinstance(schema, Mapping):
        return None
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix(_DEFINITIONS)
        return _misfit(value, definitions.get(name), definitions, path)
    if "anyOf" in schema:
        found = [_misfit(value, each, definitions, path) for each in schema["anyOf"]]
        return None if None in found else min(filter(None, found), key=len, default=None)
    if "enum" in schema and value not in schema["enum"]:
        return f"{_at(path)}expected one of {', '.join(map(repr, schema['enum']))}, got {value!r}"
    kind = str(schema.get("type", ""))
    if kind in _KINDS and not _is(value, kind):
        return f"{_at(path)}expected {kind}, got {value!r}"
    if kind == "object":
        return _fields(value, schema, definitions, path)
    return _members(value, schema.get("items"), definitions, path) if kind == "array" else None


def _is(value: Any, kind: str) -> bool:
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()  # as structures of protobuf keep numbers
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _fields(
    value: Mapping[str, Any], schema: Mapping[str, Any], definitions: Mapping[str, Any], path: str
) -> str | None:
    properties = schema.get("properties", {})
    missing = [name for name in schema.get("required", ()) if name not in value]
    if missing:
        return f"{_at(path)}missing {', '.join(missing)}"
    others = schema.get("additionalProperties")
    unknown = sorted(set(value) - set(properties)) if others is False else []
    if unknown:
        return f"{_at(path)}unknown {', '.join(unknown)} (there are: {', '.join(sorted(properties)) or 'none'})"
    within = (
        _misfit(each, properties.get(name, others), definitions, f"{path}.{name}") for name, each in value.items()
    )
    return next(filter(None, within), None)


def _members(value: Sequence[Any], items: Any, definitions: Mapping[str, Any], path: str) -> str | None:
    within = (_misfit(each, items, definitions, f"{path}[{index}]") for index, each in enumerate(value))
    return next(filter(None, within), None)


def _at(path: str) -> str:
    return f"{path.removeprefix('.')}: " if path else ""
