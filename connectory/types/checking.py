"""Whether literals fit their declared types. This runs for every task a server is asked to create: it allocates nothing
until something does not fit.
"""

from collections.abc import Callable, Container, Iterable, Sized
from typing import Final, Protocol

from connectory.errors import TypeConversionError
from connectory.types.bulk import LONG, only_floats
from connectory.types.describing import describe, describe_literal
from connectory.v1 import interface_pb2, literals_pb2, types_pb2

__all__ = ["check", "check_map", "check_names", "find_mismatch", "may_be_none", "simple_fields"]

Mismatch = tuple[str, str]
"""The path to the part that does not fit, and why not."""

_SIMPLE_FIELDS: Final = dict(
    enumerate(
        (
            ("none_type",),
            ("integer",),
            ("float_value", "integer"),
            ("string_value",),
            ("boolean",),
            ("datetime",),
            ("duration",),
            ("binary",),
            ("error",),
            ("generic",),
        )
    )
)
"""By SimpleType's numbers: which fields of Primitive or Scalar fit."""

_PRIMITIVE: Final = frozenset(
    (types_pb2.INTEGER, types_pb2.FLOAT, types_pb2.STRING, types_pb2.BOOLEAN, types_pb2.DATETIME, types_pb2.DURATION)
)


class _Names(Container[str], Iterable[str], Sized, Protocol):
    """The names in a map, of Python or of a message."""


def check(literal: literals_pb2.Literal, literal_type: types_pb2.LiteralType) -> None:
    """Raise a `TypeConversionError` with the path to the part of the literal that does not fit the type."""
    mismatch = find_mismatch(literal, literal_type)
    if mismatch is not None:
        raise TypeConversionError(mismatch[1], path=mismatch[0])


def check_map(literals: literals_pb2.LiteralMap, variables: interface_pb2.VariableMap) -> None:
    """Raise a `TypeConversionError` that names the variable which is missing, unknown or of another type."""
    given, declared = literals.literals, variables.variables
    found = 0
    for name in declared:
        if name not in given:
            continue
        found += 1
        mismatch = find_mismatch(given[name], declared[name].type)
        if mismatch is not None:
            joint = "" if not mismatch[0] or mismatch[0].startswith("[") else "."
            raise TypeConversionError(mismatch[1], path=f"{name}{joint}{mismatch[0]}")
    if found != len(given) or found != len(declared):
        check_names(given, variables)


def simple_fields(literal_type: types_pb2.LiteralType) -> tuple[str, ...]:
    """Which fields of Primitive fit a type; none for a type whose values are no primitives."""
    number = literal_type.simple
    return _SIMPLE_FIELDS.get(number, ()) if number in _PRIMITIVE else ()


def check_names(given: _Names, variables: interface_pb2.VariableMap) -> None:
    """Raise a `TypeConversionError` that names what is missing and what is unknown."""
    declared = variables.variables
    if len(given) == len(declared):
        for name in given:
            if name not in declared:
                break
        else:
            return
    missing = [name for name in declared if name not in given and not may_be_none(declared[name].type)]
    unknown = [name for name in given if name not in declared]
    if missing or unknown:
        said = [
            f"{what} {', '.join(sorted(names))}"
            for what, names in (("missing", missing), ("unknown", unknown))
            if names
        ]
        raise TypeConversionError(f"{'; '.join(said)} (declared: {', '.join(sorted(declared)) or 'nothing'})")


def may_be_none(literal_type: types_pb2.LiteralType) -> bool:
    """Whether none is a value of the type."""
    which = literal_type.WhichOneof("type")
    if which == "simple":
        return literal_type.simple == types_pb2.NONE
    return which == "union_type" and any(may_be_none(variant) for variant in literal_type.union_type.variants)


def find_mismatch(literal: literals_pb2.Literal, literal_type: types_pb2.LiteralType) -> Mismatch | None:
    """Where and why a literal does not fit a type; None when it fits."""
    number = literal_type.simple  # 0 for NONE, and for what is no simple type
    if number and literal.scalar.primitive.WhichOneof("value") in _SIMPLE_FIELDS.get(number, ()):
        return None
    which = literal_type.WhichOneof("type")
    if which == "simple":
        field = literal.scalar.WhichOneof("value")
        return None if field in _SIMPLE_FIELDS.get(number, ()) else _loosely(literal, literal_type)
    structural = _STRUCTURAL.get(which or "")
    return _loosely(literal, literal_type) if structural is None else structural(literal, literal_type)


def _check_list(literal: literals_pb2.Literal, literal_type: types_pb2.LiteralType) -> Mismatch | None:
    if literal.WhichOneof("value") != "collection":
        return _loosely(literal, literal_type)
    item_type = literal_type.collection_type
    many = len(literal.collection.literals) >= LONG
    if many and item_type.simple == types_pb2.FLOAT and only_floats(literal.collection):
        return None
    for index, item in enumerate(literal.collection.literals):
        mismatch = find_mismatch(item, item_type)
        if mismatch is not None:
            return _below(f"[{index}]", mismatch)
    return None


def _check_map(literal: literals_pb2.Literal, literal_type: types_pb2.LiteralType) -> Mismatch | None:
    if literal.WhichOneof("value") != "map":
        return _loosely(literal, literal_type)
    value_type = literal_type.map_value_type
    for key, item in literal.map.literals.items():
        mismatch = find_mismatch(item, value_type)
        if mismatch is not None:
            return _below(f"[{key!r}]", mismatch)
    return None


def _check_blob(literal: literals_pb2.Literal, literal_type: types_pb2.LiteralType) -> Mismatch | None:
    scalar = literal.scalar
    if (
        scalar.WhichOneof("value") == "blob"
        and scalar.blob.metadata.type.dimensionality == literal_type.blob.dimensionality
    ):
        return None
    return _loosely(literal, literal_type)


def _check_enum(literal: literals_pb2.Literal, literal_type: types_pb2.LiteralType) -> Mismatch | None:
    primitive = literal.scalar.primitive
    if primitive.WhichOneof("value") != "string_value":
        return _loosely(literal, literal_type)
    if primitive.string_value in literal_type.enum_type.values:
        return None
    return "", f"expected {describe(literal_type)}, got {primitive.string_value!r}"


def _check_dataset(literal: literals_pb2.Literal, literal_type: types_pb2.LiteralType) -> Mismatch | None:
    if literal.scalar.WhichOneof("value") in ("structured_dataset", "schema"):
        return None
    return _loosely(literal, literal_type)


def _check_union(literal: literals_pb2.Literal, literal_type: types_pb2.LiteralType) -> Mismatch | None:
    value = literal.scalar.union.value if literal.scalar.WhichOneof("value") == "union" else literal
    for variant in literal_type.union_type.variants:
        if find_mismatch(value, variant) is None:
            return None
    return _unlike(literal, literal_type)


def _loosely(literal: literals_pb2.Literal, literal_type: types_pb2.LiteralType) -> Mismatch | None:
    """What fits although its form says nothing about it: a union's value, a part of a structure, an offloaded value."""
    which = literal.WhichOneof("value")
    if which == "offloaded_metadata" and literal_type.WhichOneof("type") is not None:
        return None
    if which == "scalar":
        field = literal.scalar.WhichOneof("value")
        if field == "union":
            return find_mismatch(literal.scalar.union.value, literal_type)
        if field == "binary" and literal.scalar.binary.tag == "msgpack" and literal_type.WhichOneof("type") is not None:
            return None
    return _unlike(literal, literal_type)


def _unlike(literal: literals_pb2.Literal, literal_type: types_pb2.LiteralType) -> Mismatch:
    return "", f"expected {describe(literal_type)}, got {describe_literal(literal)}"


def _below(segment: str, mismatch: Mismatch) -> Mismatch:
    return segment + mismatch[0], mismatch[1]


_STRUCTURAL: Final[dict[str, Callable[[literals_pb2.Literal, types_pb2.LiteralType], Mismatch | None]]] = {
    "collection_type": _check_list,
    "map_value_type": _check_map,
    "blob": _check_blob,
    "enum_type": _check_enum,
    "structured_dataset_type": _check_dataset,
    "schema": _check_dataset,
    "union_type": _check_union,
}
