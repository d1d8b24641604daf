"""Whether plain data fits a JSON schema, as far as the schemas of dataclasses and of pydantic's models say it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Final

from connectory.types.checking import Mismatch
from connectory.types.describing import describe_value

__all__ = ["find_misfit", "properties_of"]

_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list, tuple),
    "string": (str, bytes),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
_TRUTHS: Final = frozenset(("0", "1", "off", "on", "f", "t", "false", "true", "n", "y", "no", "yes"))
_DEFINITIONS: Final = "#/$defs/"
_MOST_STEPS: Final = 100_000


def find_misfit(
    value: Any, schema: Mapping[str, Any], *, closed: bool = True, closed_within: bool = True
) -> Mismatch | None:
    """Where and why a value does not fit, in words; None when it fits, or the schema says nothing about it.

    Formats, lengths, patterns and ranges are not looked at, nor is what is too large or too deep to be gone through at
    once. Unless `closed`, fields may be called otherwise than the schema says, or be there besides; unless
    `closed_within`, those of its parts. Dataclasses take their parts as they are; pydantic's models read numbers and
    truths from texts, too.
    """
    try:
        return next(_Check(schema, closed, closed_within).misfits(value, schema, ""), None)
    except (_TooMuchError, RecursionError):
        return None


def properties_of(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields that a schema of a class names, with what is said of each."""
    properties = _Check(schema).resolved(schema).get("properties")
    return properties if isinstance(properties, Mapping) else {}


class _TooMuchError(Exception):
    """This takes longer than it may."""


class _Check:
    def __init__(self, schema: Mapping[str, Any], closed: bool = True, closed_within: bool = True) -> None:
        self._closed = closed
        self._closed_within = closed_within
        definitions = schema.get("$defs")
        self._definitions = definitions if isinstance(definitions, Mapping) else {}
        self._reads_texts = _is_of_pydantic(self.resolved(schema))
        self._steps = count()

    def misfits(self, value: Any, schema: Any, path: str) -> Iterator[Mismatch]:
        """All misfits, in the order in which people would look for them."""
        if next(self._steps) > _MOST_STEPS:
            raise _TooMuchError
        schema = self.resolved(schema)
        for each in _listed(schema.get("allOf")):
            yield from self.misfits(value, each, path)
        variants = _listed(schema.get("anyOf")) or _listed(schema.get("oneOf"))
        if variants:
            yield from self._unlike_all(value, variants, path)
        allowed = [schema["const"]] if "const" in schema else schema.get("enum")
        if isinstance(allowed, Sequence) and value not in allowed:
            names = ", ".join(map(repr, allowed))
            yield path, f"expected {'one of ' * (len(allowed) > 1)}{names}, got {describe_value(value)}"
        kinds = _kinds(schema)
        if kinds and not any(self._is(value, kind, schema) for kind in kinds):
            yield path, f"expected {' or '.join(kinds)}, got {describe_value(value)}"
        elif isinstance(value, Mapping):
            yield from self._fields(value, schema, path)
        elif isinstance(value, list | tuple):
            yield from self._members(value, schema, path)

    def resolved(self, schema: Any) -> Mapping[str, Any]:
        """What a reference refers to, or the schema itself; one that refers elsewhere says nothing."""
        seen = set()
        while isinstance(schema, Mapping) and "$ref" in schema and schema["$ref"] not in seen:
            seen.add(schema["$ref"])
            schema = self._definitions.get(str(schema["$ref"]).removeprefix(_DEFINITIONS))
        return schema if isinstance(schema, Mapping) and "$ref" not in schema else {}

    def _is(self, value: Any, kind: str, schema: Mapping[str, Any]) -> bool:
        if kind == "integer" and isinstance(value, float):
            return value.is_integer()  # as structures of protobuf keep numbers
        if isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool)):
            return True
        return self._reads_texts and _reads(value, kind, schema)

    def _unlike_all(self, value: Any, variants: Sequence[Any], path: str) -> Iterator[Mismatch]:
        """The misfit with the variant that is meant, as far as that can be told; none when some variant fits."""
        meant = []
        for each in variants:
            misfit = next(self.misfits(value, each, path), None)
            if misfit is None:
                return
            kinds = _kinds(self.resolved(each))
            if not kinds or any(isinstance(value, _KINDS[kind]) for kind in kinds):
                meant.append(misfit)
        if meant:
            yield max(meant, key=lambda misfit: len(misfit[0]))
        else:
            names = dict.fromkeys(name for each in variants for name in _kinds(self.resolved(each)))
            yield path, f"expected {' or '.join(names)}, got {describe_value(value)}"

    def _fields(self, value: Mapping[Any, Any], schema: Mapping[str, Any], path: str) -> Iterator[Mismatch]:
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        missing = [name for name in schema.get("required", ()) if name not in value]
        unknown = [str(name) for name in value if name not in properties] if properties or others is False else []
        said = [f"missing {', '.join(missing)}"] if missing else []
        if unknown and (missing or others is False):
            said.append(f"unknown {', '.join(sorted(unknown))} (there are: {', '.join(sorted(properties)) or 'none'})")
        if said and (not unknown or (self._closed_within if path else self._closed)):
            yield path, "; ".join(said)
        for name, each in value.items():
            yield from self.misfits(each, properties.get(name, others), f"{path}.{name}" if path else str(name))

    def _members(self, value: Sequence[Any], schema: Mapping[str, Any], path: str) -> Iterator[Mismatch]:
        first = _listed(schema.get("prefixItems"))
        if first and len(value) != len(first) == schema.get("minItems") == schema.get("maxItems"):
            yield path, f"expected {len(first)} members, got {len(value)}"
        for index, each in enumerate(value):
            part = first[index] if index < len(first) else schema.get("items")
            yield from self.misfits(each, part, f"{path}[{index}]")


def _is_of_pydantic(schema: Mapping[str, Any]) -> bool:
    """Whether it looks like a schema of pydantic: it gives titles to fields, and forbids others only when told to."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return False
    titles = (
        isinstance(each, Mapping) and "title" in each and "properties" not in each for each in properties.values()
    )
    return schema.get("additionalProperties") is not False or any(titles)


def _kinds(schema: Mapping[str, Any]) -> Sequence[str]:
    said = schema.get("type")
    kinds = [said] if isinstance(said, str) else _listed(said)
    return kinds if all(kind in _KINDS for kind in kinds) else []


def _listed(said: Any) -> Sequence[Any]:
    return said if isinstance(said, list | tuple) else ()


def _reads(value: Any, kind: str, schema: Mapping[str, Any]) -> bool:
    """Whether pydantic takes such a value for one of this kind."""
    if kind == "string":
        return "format" in schema and isinstance(value, int | float)  # times, and numbers that are written as texts
    if kind == "boolean":
        return value in (0, 1) if isinstance(value, int | float) else str(value).strip().lower() in _TRUTHS
    if kind not in ("number", "integer") or not isinstance(value, str | bool):
        return False
    try:
        number = float(value)
    except ValueError:
        return False
    return kind == "number" or number.is_integer()
