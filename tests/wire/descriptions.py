"""Descriptors as plain data, so that two processes that cannot share generated code can compare what they speak."""

from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor

__all__ = ["Schema", "describe"]

Schema = dict[str, dict[str, Any]]
"""`messages`, `enums` and `services`, each by full name. Numbers are texts, as JSON wants them."""


def describe(files: Iterable[FileDescriptor]) -> Schema:
    """All that the files define, and nothing that they import."""
    schema: Schema = {"messages": {}, "enums": {}, "services": {}}
    for file in files:
        for enum in file.enum_types_by_name.values():
            _add_enum(schema, enum)
        for message in file.message_types_by_name.values():
            _add_message(schema, message)
        for service in file.services_by_name.values():
            schema["services"][service.full_name] = {
                m.name: [m.input_type.full_name, m.output_type.full_name, m.client_streaming, m.server_streaming]
                for m in service.methods
            }
    return schema


def _add_message(schema: Schema, message: Descriptor) -> None:
    schema["messages"][message.full_name] = _fields(message)
    for enum in message.enum_types:
        _add_enum(schema, enum)
    for nested in message.nested_types:
        _add_message(schema, nested)


def _add_enum(schema: Schema, enum: EnumDescriptor) -> None:
    schema["enums"][enum.full_name] = {str(v.number): v.name for v in enum.values}


def _fields(message: Descriptor) -> dict[str, Any]:
    return {str(field.number): _field(field) for field in message.fields}


def _field(field: FieldDescriptor) -> dict[str, Any]:
    target = field.message_type or field.enum_type
    is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
    return {
        "name": field.name,
        "json": field.json_name,
        "type": field.type,
        "target": target.full_name if target else "",
        "repeated": field.is_repeated,
        "presence": field.has_presence,
        "oneof": field.containing_oneof.name if field.containing_oneof else "",
        "entry": _fields(field.message_type) if is_map else None,
    }
