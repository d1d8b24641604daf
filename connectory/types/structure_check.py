"""Whether structures have the parts that their declared types say: what cannot be told from the form of a literal.

A structure is written as msgpack or as a JSON Struct, and any form fits any structure. The declared type brings the
schema of its class, so that whoever asks for something is told of a wrong field at once, and not by the task.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from connectory.errors import TypeConversionError
from connectory.types.checking import Mismatch, find_mismatch
from connectory.types.schema_check import find_misfit, properties_of
from connectory.types.structures import MSGPACK, plain_of
from connectory.v1 import interface_pb2, literals_pb2, types_pb2

__all__ = ["check_structure", "check_structures", "find_structure_mismatch"]

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


def check_structure(literal: literals_pb2.Literal, declared: types_pb2.LiteralType) -> None:
    """The same for one literal, with the path within it; `check` is for everything else."""
    mismatch = find_structure_mismatch(literal, declared)
    if mismatch is not None:
        raise TypeConversionError(mismatch[1], path=mismatch[0])


def find_structure_mismatch(
    literal: literals_pb2.Literal, declared: types_pb2.LiteralType, *, by_hand: bool = False
) -> Mismatch | None:
    """Where and why the structures in a literal are not the declared ones; None when they are.

    Within types that may be something else, nothing tells of the fields that a class adds by itself or writes by other
    names: a field too many counts there only when somebody has written it `by_hand`, who can leave it out.
    """
    return _Check(by_hand).of_literal(literal, declared)


class _Check:
    def __init__(self, by_hand: bool) -> None:
        self._by_hand = by_hand

    def of_literal(self, literal: literals_pb2.Literal, declared: types_pb2.LiteralType) -> Mismatch | None:
        if literal.scalar.WhichOneof("value") == "union":
            literal = literal.scalar.union.value
        if declared.WhichOneof("type") == "union_type":
            matching = [each for each in declared.union_type.variants if find_mismatch(literal, each) is None]
            return _of_variants(self.of_literal(literal, variant) for variant in matching)
        if literal.scalar.WhichOneof("value") == "generic" or literal.scalar.binary.tag == MSGPACK:
            try:
                return self._of_plain(plain_of(literal), declared)
            except TypeConversionError as error:
                return "", str(error)
        return _first(self._members(literal, declared))

    def _members(
        self, literal: literals_pb2.Literal, declared: types_pb2.LiteralType
    ) -> Iterator[tuple[str, Mismatch | None]]:
        if declared.WhichOneof("type") == "collection_type":
            for index, item in enumerate(literal.collection.literals):
                yield f"[{index}]", self.of_literal(item, declared.collection_type)
        elif declared.WhichOneof("type") == "map_value_type":
            for key, item in literal.map.literals.items():
                yield f"[{key!r}]", self.of_literal(item, declared.map_value_type)

    def _of_plain(self, value: Any, declared: types_pb2.LiteralType) -> Mismatch | None:
        """The same for plain data, in which any declared type may be written."""
        match declared.WhichOneof("type"):
            case "union_type":
                return _of_variants(self._of_plain(value, variant) for variant in declared.union_type.variants)
            case "collection_type":
                items = (
                    (f"[{index}]", self._of_plain(each, declared.collection_type)) for index, each in enumerate(value)
                )
                return find_misfit(value, {"type": "array"}) or _first(items)
            case "map_value_type":
                return find_misfit(value, {"type": "object"}) or _first(
                    (f"[{key!r}]", self._of_plain(each, declared.map_value_type)) for key, each in value.items()
                )
            case "enum_type":
                return find_misfit(value, {"enum": list(declared.enum_type.values)})
            case "simple" if declared.simple == types_pb2.STRUCT:
                return self._of_class(value, declared)
            case "simple" if declared.simple in _KINDS:
                return find_misfit(value, {"type": _KINDS[declared.simple]})
        return None

    def _of_class(self, value: Any, declared: types_pb2.LiteralType) -> Mismatch | None:
        own, within = _agreement(declared), _agreement_within(declared)
        if not declared.HasField("metadata") or own is False or within is False:
            return None
        closed = self._by_hand or own is True
        closed_within = self._by_hand or (closed and within is True)
        return find_misfit(value, _schema(declared), closed=closed, closed_within=closed_within)


def _of_variants(mismatches: Iterable[Mismatch | None]) -> Mismatch | None:
    """The mismatch that leads furthest; None when a variant fits, or there is none."""
    found = []
    for mismatch in mismatches:
        if mismatch is None:
            return None
        found.append(mismatch)
    return max(found, key=lambda mismatch: len(mismatch[0]), default=None)


def _first(parts: Iterable[tuple[str, Mismatch | None]]) -> Mismatch | None:
    return next((_below(segment, mismatch) for segment, mismatch in parts if mismatch is not None), None)


def _schema(declared: types_pb2.LiteralType) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = plain_of(literals_pb2.Literal(scalar=literals_pb2.Scalar(generic=declared.metadata)))
    return schema


def _agreement(declared: types_pb2.LiteralType) -> bool | None:
    """Whether the schema of a class names all fields that there are in data; None: unknown.

    Fields with aliases, and those that a class makes itself, are among the declared ones only.
    """
    fields = declared.structure.dataclass_type.keys()
    properties = properties_of(_schema(declared)) if declared.HasField("metadata") else {}
    return fields <= properties.keys() if fields else None if properties else True


def _agreement_within(declared: types_pb2.LiteralType) -> bool | None:
    """The same for the classes of its fields, members and variants, and of theirs."""
    match declared.WhichOneof("type"):
        case "collection_type":
            parts: Iterable[types_pb2.LiteralType] = [declared.collection_type]
        case "map_value_type":
            parts = [declared.map_value_type]
        case "union_type":
            parts = declared.union_type.variants
        case _:
            parts = declared.structure.dataclass_type.values()
    return _together(agree(part) for part in parts for agree in (_agreement, _agreement_within))


def _together(agreements: Iterable[bool | None]) -> bool | None:
    found = set(agreements)
    return False if False in found else None if None in found else True


def _below(segment: str, mismatch: Mismatch) -> Mismatch:
    return _joined(segment, mismatch[0]), mismatch[1]


def _joined(start: str, path: str) -> str:
    return f"{start}{path}" if not path or path.startswith("[") else f"{start}.{path}"
