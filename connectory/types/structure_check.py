"""Whether structures have the parts that their declared types say: what cannot be told from the form of a literal.

A structure is written as msgpack or as a JSON Struct, and any form fits any structure. The declared type brings the
schema of its class, so that whoever asks for something is told of a wrong field at once, and not by the task.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from connectory.errors import TypeConversionError
from connectory.types.checking import Mismatch, find_mismatch
from connectory.types.schema_check import find_misfit, properties_of
from connectory.types.structures import MSGPACK, plain_of
from connectory.v1 import interface_pb2, literals_pb2, types_pb2

__all__ = ["check_structures", "find_structure_mismatch"]

_KINDS: Final = {
    types_pb2.INTEGER: "integer",
    types_pb2.FLOAT: "number",
    types_pb2.STRING: "string",
    types_pb2.BOOLEAN: "boolean",
    types_pb2.NONE: "null",
}


def check_structures(literals: literals_pb2.LiteralMap, variables: interface_pb2.VariableMap) -> None:
    """Raise a `TypeConversionError` with the variable, and the path to the part, whose structure is another one.

    `check_map` is for everything else. What a declared type says nothing of, or what is kept elsewhere, passes.
    """
    for name, variable in variables.variables.items():
        if name in literals.literals:
            mismatch = find_structure_mismatch(literals.literals[name], variable.type)
            if mismatch is not None:
                raise TypeConversionError(mismatch[1], path=_joined(name, mismatch[0]))


def find_structure_mismatch(literal: literals_pb2.Literal, declared: types_pb2.LiteralType) -> Mismatch | None:
    """Where and why the structures in a literal are not the declared ones; None when they are."""
    if literal.scalar.WhichOneof("value") == "union":
        literal = literal.scalar.union.value
    which, scalar = declared.WhichOneof("type"), literal.scalar
    if which == "union_type":
        matching = [variant for variant in declared.union_type.variants if find_mismatch(literal, variant) is None]
        return _of_variants(matching, lambda variant: find_structure_mismatch(literal, variant))
    if scalar.WhichOneof("value") == "generic" or scalar.binary.tag == MSGPACK:
        try:
            return _of_plain(plain_of(literal), declared)
        except TypeConversionError as error:
            return "", str(error)
    return next(filter(None, _within(literal, declared)), None)


def _within(literal: literals_pb2.Literal, declared: types_pb2.LiteralType) -> Iterator[Mismatch | None]:
    if declared.WhichOneof("type") == "collection_type":
        for index, item in enumerate(literal.collection.literals):
            yield _below(f"[{index}]", find_structure_mismatch(item, declared.collection_type))
    elif declared.WhichOneof("type") == "map_value_type":
        for key, item in literal.map.literals.items():
            yield _below(f"[{key!r}]", find_structure_mismatch(item, declared.map_value_type))


def _of_plain(value: Any, declared: types_pb2.LiteralType) -> Mismatch | None:
    """The same for plain data, in which any declared type may be written."""
    match declared.WhichOneof("type"):
        case "union_type":
            return _of_variants(declared.union_type.variants, lambda variant: _of_plain(value, variant))
        case "collection_type":
            return find_misfit(value, {"type": "array"}) or _first(
                (f"[{index}]", each, declared.collection_type) for index, each in enumerate(value)
            )
        case "map_value_type":
            return find_misfit(value, {"type": "object"}) or _first(
                (f"[{key!r}]", each, declared.map_value_type) for key, each in value.items()
            )
        case "enum_type":
            return find_misfit(value, {"enum": list(declared.enum_type.values)})
        case "simple" if declared.simple == types_pb2.STRUCT:
            return find_misfit(value, _schema(declared))
        case "simple" if declared.simple in _KINDS:
            return find_misfit(value, {"type": _KINDS[declared.simple]})
    return None


def _first(parts: Iterator[tuple[str, Any, types_pb2.LiteralType]]) -> Mismatch | None:
    return next(filter(None, (_below(segment, _of_plain(value, kind)) for segment, value, kind in parts)), None)


def _of_variants(variants: Any, found: Callable[[types_pb2.LiteralType], Mismatch | None]) -> Mismatch | None:
    """The mismatch that leads furthest; None when a variant fits, or there is none."""
    mismatches = [found(variant) for variant in variants]
    if None in mismatches:
        return None
    return max(filter(None, mismatches), key=lambda mismatch: len(mismatch[0]), default=None)


def _schema(declared: types_pb2.LiteralType) -> Mapping[str, Any]:
    """The schema that comes with a declared structure; one that says nothing where fields have other names in data.

    That is so for fields with aliases, and for those that a class makes itself.
    """
    if not declared.HasField("metadata") or not _names_agree(declared):
        return {}
    return _told(declared)


def _told(declared: types_pb2.LiteralType) -> Mapping[str, Any]:
    told: Mapping[str, Any] = plain_of(literals_pb2.Literal(scalar=literals_pb2.Scalar(generic=declared.metadata)))
    return told


def _names_agree(declared: types_pb2.LiteralType) -> bool:
    match declared.WhichOneof("type"):
        case "collection_type":
            return _names_agree(declared.collection_type)
        case "map_value_type":
            return _names_agree(declared.map_value_type)
        case "union_type":
            return all(map(_names_agree, declared.union_type.variants))
    fields = declared.structure.dataclass_type
    properties = properties_of(_told(declared)) if fields else {}
    return all(name in properties and _names_agree(kind) for name, kind in fields.items())


def _below(segment: str, mismatch: Mismatch | None) -> Mismatch | None:
    return (_joined(segment, mismatch[0]), mismatch[1]) if mismatch is not None else None


def _joined(start: str, path: str) -> str:
    return f"{start}{path}" if not path or path.startswith("[") else f"{start}.{path}"
