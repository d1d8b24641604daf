"""Random instances of any message, and their content as plain data that does not depend on names.

The content is by field number; enums are numbers, bytes are hexadecimal, numbers with a fraction are written exactly
(NaN equals NaN). A map, and a repeated entry that stands for one on the other side, are the same: entries by key.
"""

import random
import struct
from collections.abc import Collection
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

__all__ = ["Content", "View", "build", "content", "has_unknown_fields"]

Content = dict[str, Any]

MAX_DEPTH = 5
_INTEGERS = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
}
_TEXTS = ("", "x", "Ünïcodé ✓ 𝄞", "a\x00b", "line\nline", "{{ .inputs.x }}", "p" * 300)
_FRACTIONS = (0.0, -0.0, 1.5, -1e300, 5e-324, float("inf"), float("-inf"), float("nan"))


class View:
    """What the other side knows of a message: its fields, and their messages in turn.

    `schema` is the other side's, `name` its message; without them everything is known.
    """

    def __init__(self, schema: dict[str, dict[str, Any]] | None = None, name: str = "") -> None:
        self._schema = schema
        self._fields = schema["messages"].get(name) if schema else None

    def knows(self, field: FieldDescriptor) -> bool:
        """Whether the field exists on the other side."""
        return self._fields is None or str(field.number) in self._fields

    def enum_numbers(self, field: FieldDescriptor) -> list[int]:
        """The values of an enum field that exist on both sides."""
        ours = [v.number for v in field.enum_type.values]
        if self._schema is None or self._fields is None:
            return ours
        theirs = self._schema["enums"][self._fields[str(field.number)]["target"]]
        return [number for number in ours if str(number) in theirs]

    def of(self, field: FieldDescriptor) -> "View":
        """The view of the message that the field, or the values of the map, hold."""
        if self._schema is None or self._fields is None:
            return View()
        entry = self._fields[str(field.number)]
        target = entry["entry"]["2"]["target"] if entry["entry"] else entry["target"]
        if is_map(field) and not entry["entry"]:
            target = self._schema["messages"][target]["2"]["target"]
        return View(self._schema, target) if target in self._schema["messages"] else View()


def is_map(field: FieldDescriptor) -> bool:
    """Whether the field is a map in this process."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def build(message: Message, seed: str, index: int, *, view: View, maps: Collection[str] = ()) -> Message:
    """Fill `message` at random with what the view knows, the same way for the same seed and index.

    Index 0 leaves it empty; every other one fills all fields of the top, and walks through the members of each oneof.
    `maps` names fields (`message.full.Name#number`) that are repeated entries here and maps on the other side.
    """
    if index:
        _fill(message, random.Random(f"{seed}:{index}"), index, 0, view, maps)
    return message


def _fill(message: Message, rng: random.Random, index: int, depth: int, view: View, maps: Collection[str]) -> None:
    fields = [f for f in message.DESCRIPTOR.fields if view.knows(f)]
    chosen = {
        group.name: members[index % len(members) if depth == 0 else rng.randrange(len(members))].name
        for group in message.DESCRIPTOR.oneofs
        if (members := [f for f in fields if f.containing_oneof == group])
    }
    for field in fields:
        if field.containing_oneof and chosen[field.containing_oneof.name] != field.name:
            continue
        if depth == 0 or rng.random() < (0.7, 0.5, 0.35, 0.25)[min(depth, 4) - 1]:
            _fill_field(message, field, rng, depth, view, maps)


def _fill_field(
    message: Message, field: FieldDescriptor, rng: random.Random, depth: int, view: View, maps: Collection[str]
) -> None:
    count = rng.choice((1, 2)) if depth == 0 else rng.choice((0, 1, 2))
    if field.message_type is None:
        _fill_plain(message, field, rng, count, view)
    elif is_map(field):
        _fill_map(getattr(message, field.name), field, rng, count, depth, view, maps)
    elif f"{message.DESCRIPTOR.full_name}#{field.number}" in maps:
        key, value = field.message_type.fields_by_number[1], field.message_type.fields_by_number[2]
        for name in _names(rng, count):
            entry = getattr(message, field.name).add()
            setattr(entry, key.name, name)
            getattr(entry, value.name).SetInParent()
            _fill_child(getattr(entry, value.name), rng, depth, view.of(field).of(value), maps)
    elif field.is_repeated:
        for _ in range(count):
            _fill_child(getattr(message, field.name).add(), rng, depth, view.of(field), maps)
    else:
        getattr(message, field.name).SetInParent()
        _fill_child(getattr(message, field.name), rng, depth, view.of(field), maps)


def _fill_plain(message: Message, field: FieldDescriptor, rng: random.Random, count: int, view: View) -> None:
    if field.is_repeated:
        getattr(message, field.name).extend(_plain(field, rng, view) for _ in range(count))
    else:
        setattr(message, field.name, _plain(field, rng, view))


def _fill_map(
    target: Any, field: FieldDescriptor, rng: random.Random, count: int, depth: int, view: View, maps: Collection[str]
) -> None:
    value = field.message_type.fields_by_number[2]
    for name in _names(rng, count):
        if value.message_type is None:
            target[name] = _plain(value, rng, view)
        else:
            target[name].SetInParent()
            _fill_child(target[name], rng, depth, view.of(field), maps)


def _fill_child(message: Message, rng: random.Random, depth: int, view: View, maps: Collection[str]) -> None:
    if depth < MAX_DEPTH:
        _fill(message, rng, 0, depth + 1, view, maps)


def _names(rng: random.Random, count: int) -> list[str]:
    return rng.sample(_TEXTS, count)


def _plain(field: FieldDescriptor, rng: random.Random, view: View) -> Any:
    if field.enum_type is not None:
        return rng.choice(view.enum_numbers(field))
    if field.type in _INTEGERS:
        low, high = _INTEGERS[field.type]
        return rng.choice((low, high, 0, 1, rng.randint(low, high)))
    if field.type == FieldDescriptor.TYPE_BOOL:
        return rng.random() < 0.8
    if field.type == FieldDescriptor.TYPE_BYTES:
        return rng.randbytes(rng.choice((0, 1, 40)))
    if field.type == FieldDescriptor.TYPE_STRING:
        return rng.choice(_TEXTS)
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return rng.choice((*_FRACTIONS, rng.uniform(-1e6, 1e6)))
    if field.type == FieldDescriptor.TYPE_FLOAT:
        return struct.unpack("<f", rng.randbytes(4))[0]
    raise AssertionError(f"{field.full_name} has a type that nobody thought of: {field.type}")


def content(message: Message, maps: Collection[str] = ()) -> Content:
    """What the message says, by number."""
    return {str(field.number): _field_content(message, field, value, maps) for field, value in message.ListFields()}


def _field_content(message: Message, field: FieldDescriptor, value: Any, maps: Collection[str]) -> Any:
    if is_map(field):
        of = field.message_type.fields_by_number[2]
        return {key: _value(of, value[key], maps) for key in value}
    if f"{message.DESCRIPTOR.full_name}#{field.number}" in maps:
        key, of = field.message_type.fields_by_number[1], field.message_type.fields_by_number[2]
        return {getattr(entry, key.name): _value(of, getattr(entry, of.name), maps) for entry in value}
    if field.is_repeated:
        return [_value(field, item, maps) for item in value]
    return _value(field, value, maps)


def _value(field: FieldDescriptor, value: Any, maps: Collection[str]) -> Any:
    if field.message_type is not None:
        return content(value, maps)
    if isinstance(value, bytes):
        return value.hex()
    return value.hex() if isinstance(value, float) else value


def has_unknown_fields(message: Message) -> bool:
    """Whether bytes that were parsed held anything, at any depth, that the message has no field for."""
    known = type(message)()
    known.CopyFrom(message)
    known.DiscardUnknownFields()
    return known.ByteSize() != message.ByteSize()
