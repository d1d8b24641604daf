"""Lists and maps of numbers and texts, all members at once. What does not fit exactly is left to the usual way."""

import sys
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from connectory.types.kinds import Kind
from connectory.v1 import literals_pb2

__all__ = ["LONG", "SEVERAL", "only_floats", "read", "read_map", "write", "write_map"]

SEVERAL: Final = 3
"""From how many members on it pays to convert them at once."""
LONG: Final = 64
"""From how many members on it pays to look at all of them beforehand."""

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1


def _float_prefix() -> bytes:
    primitive = literals_pb2.Primitive(float_value=1.0)
    member = literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=primitive))
    return literals_pb2.LiteralCollection(literals=[member]).SerializeToString()[:-8]


_PREFIX: Final = _float_prefix()
"""What every member begins with on the wire; the eight bytes of the number follow."""
_STRIDE: Final = len(_PREFIX) + 8


def write(values: Sequence[Any], kind: Kind, collection: literals_pb2.LiteralCollection) -> bool:
    """Add all values, if they are plainly of the kind's type, to an empty collection; False: nothing was added."""
    writer = _WRITERS.get(kind)
    return writer is not None and writer(values, collection)


def _write_floats(values: Sequence[Any], collection: literals_pb2.LiteralCollection) -> bool:
    if not set(map(type, values)) <= {float, int}:
        return False
    try:
        numbers = array("d", values)
    except OverflowError:  # an int: the usual way says which
        return False
    if int in map(type, values) and numbers.tolist() != list(values):
        return False
    if sys.byteorder == "big":
        numbers.byteswap()
    data, wire = numbers.tobytes(), bytearray(_PREFIX + bytes(8)) * len(values)
    for index in range(8):
        wire[len(_PREFIX) + index :: _STRIDE] = data[index::8]
    collection.MergeFromString(bytes(wire))
    return True


def _write_ints(values: Sequence[Any], collection: literals_pb2.LiteralCollection) -> bool:
    if set(map(type, values)) != {int} or min(values) < _INT64_MIN or max(values) > _INT64_MAX:
        return False
    add = collection.literals.add
    for value in values:
        add().scalar.primitive.integer = value
    return True


def _write_texts(values: Sequence[Any], collection: literals_pb2.LiteralCollection) -> bool:
    if set(map(type, values)) != {str}:
        return False
    add = collection.literals.add
    try:
        for value in values:
            add().scalar.primitive.string_value = value
    except ValueError:  # no Unicode: the usual way says which
        del collection.literals[:]
        return False
    return True


def _write_flags(values: Sequence[Any], collection: literals_pb2.LiteralCollection) -> bool:
    if set(map(type, values)) != {bool}:
        return False
    add = collection.literals.add
    for value in values:
        add().scalar.primitive.boolean = value
    return True


_WRITERS: Final[dict[Kind, Callable[[Sequence[Any], literals_pb2.LiteralCollection], bool]]] = {
    Kind.FLOAT: _write_floats,
    Kind.INTEGER: _write_ints,
    Kind.STRING: _write_texts,
    Kind.BOOLEAN: _write_flags,
}
_FIELDS: Final = {Kind.INTEGER: "integer", Kind.STRING: "string_value", Kind.BOOLEAN: "boolean"}
_MAPPED: Final = {**_FIELDS, Kind.FLOAT: "float_value"}
_CLASSES: Final = {Kind.INTEGER: int, Kind.STRING: str, Kind.BOOLEAN: bool, Kind.FLOAT: float}


def write_map(values: Mapping[Any, Any], kind: Kind, result: literals_pb2.LiteralMap) -> bool:
    """Add all values, which are exactly of the kind's type, to an empty map; False: nothing was added."""
    field = _MAPPED.get(kind)
    if field is None or set(map(type, values)) != {str} or set(map(type, values.values())) != {_CLASSES[kind]}:
        return False
    literals = result.literals
    try:
        for key, value in values.items():
            setattr(literals[key].scalar.primitive, field, value)
    except ValueError:  # more than 64 bits, or no Unicode: the usual way says which
        literals.clear()
        return False
    return True


def read_map(literals: Mapping[str, literals_pb2.Literal], kind: Kind) -> dict[str, Any] | None:
    """The members' values by key, if all of them are plainly of the kind's type; otherwise None."""
    field = _MAPPED.get(kind)
    if field is None:
        return None
    values = {}
    for key, member in literals.items():
        primitive = member.scalar.primitive
        which: str | None = primitive.WhichOneof("value")
        if which != field:
            return None
        values[key] = getattr(primitive, field)
    return values


def read(collection: literals_pb2.LiteralCollection, kind: Kind) -> list[Any] | None:
    """The members' values, if all of them are plainly of the kind's type; otherwise None."""
    if kind is Kind.FLOAT:
        wire = _float_wire(collection)
        return None if wire is None else _floats(wire)
    field = _FIELDS.get(kind)
    if field is None:
        return None
    values = []
    for member in collection.literals:
        primitive = member.scalar.primitive
        which: str | None = primitive.WhichOneof("value")
        if which != field:
            return None
        values.append(getattr(primitive, field))
    return values


def only_floats(collection: literals_pb2.LiteralCollection) -> bool:
    """Whether all members are plain floats."""
    return _float_wire(collection) is not None


def _float_wire(collection: literals_pb2.LiteralCollection) -> bytes | None:
    """The members on the wire, if they are all floats with nothing else: then each takes the same space."""
    count = len(collection.literals)
    wire = collection.SerializeToString()
    if len(wire) != count * _STRIDE:
        return None
    same = all(wire[index::_STRIDE].count(byte) == count for index, byte in enumerate(_PREFIX))
    return wire if same else None


def _floats(wire: bytes) -> list[float]:
    data = bytearray(len(wire) // _STRIDE * 8)
    for index in range(8):
        data[index::8] = wire[len(_PREFIX) + index :: _STRIDE]
    numbers = array("d")
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()
