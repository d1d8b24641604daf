"""The messages of `grpc.health.v1` with `List`, whichever release of `grpcio-health-checking` is installed.

Releases differ in whether they know `List`. What is missing is added here, in a descriptor pool of its own. Loaded by
whoever asks for the first list, or for a description.
"""

from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from grpc_health.v1 import health_pb2

__all__ = ["HEALTH_FILE", "HealthListResponse"]


def _described() -> FileDescriptorProto:
    file = FileDescriptorProto.FromString(health_pb2.DESCRIPTOR.serialized_pb)
    if all(message.name != "HealthListResponse" for message in file.message_type):
        _add_list(file)
    return file


def _add_list(file: FileDescriptorProto) -> None:
    file.message_type.add(name="HealthListRequest")
    answer = file.message_type.add(name="HealthListResponse")
    _add_field(answer, "statuses", 1, ".grpc.health.v1.HealthListResponse.StatusesEntry", repeated=True)
    entry = answer.nested_type.add(name="StatusesEntry")
    entry.options.map_entry = True
    entry.field.add(
        name="key", number=1, type=FieldDescriptorProto.TYPE_STRING, label=FieldDescriptorProto.LABEL_OPTIONAL
    )
    _add_field(entry, "value", 2, ".grpc.health.v1.HealthCheckResponse", repeated=False)
    file.service[0].method.add(
        name="List",
        input_type=".grpc.health.v1.HealthListRequest",
        output_type=".grpc.health.v1.HealthListResponse",
    )


def _add_field(message: DescriptorProto, name: str, number: int, type_name: str, *, repeated: bool) -> None:
    message.field.add(
        name=name,
        number=number,
        type=FieldDescriptorProto.TYPE_MESSAGE,
        type_name=type_name,
        label=FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL,
    )


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_described())
_list_response = _pool.FindMessageTypeByName("grpc.health.v1.HealthListResponse")

HEALTH_FILE = _list_response.file
HealthListResponse: Any = message_factory.GetMessageClass(_list_response)
