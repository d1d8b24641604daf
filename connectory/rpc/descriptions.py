"""What served names look like, for reflection. Loaded by whoever asks first.

Every name is described with this project's messages, in a descriptor pool of its own, so that it never meets the
descriptors of another package that describes the same names.
"""

from collections.abc import Sequence

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha import reflection_pb2

from connectory.rpc.health_messages import HEALTH_FILE
from connectory.rpc.names import ServedService

__all__ = ["describe"]


def describe(
    source: FileDescriptor, services: Sequence[ServedService], *others: FileDescriptor
) -> descriptor_pool.DescriptorPool:
    """A pool that describes every served name with the messages of `source`, which declares our services.

    What `others` declare has no other names.
    """
    pool = descriptor_pool.DescriptorPool()
    seen: set[str] = set()
    for file in (source, *others, HEALTH_FILE, reflection_pb2.DESCRIPTOR):
        _add(pool, file, seen)
    for package in dict.fromkeys(_package(served) for served in services):
        if package != source.package:
            pool.Add(_alias_file(source, package, [served for served in services if _package(served) == package]))
    return pool


def _add(pool: descriptor_pool.DescriptorPool, file: FileDescriptor, seen: set[str]) -> None:
    if file.name in seen:
        return
    seen.add(file.name)
    for dependency in file.dependencies:
        _add(pool, dependency, seen)
    pool.AddSerializedFile(file.serialized_pb)


def _package(served: ServedService) -> str:
    return served.name.rpartition(".")[0]


def _alias_file(source: FileDescriptor, package: str, services: Sequence[ServedService]) -> FileDescriptorProto:
    """A file that declares the services of another package with our messages."""
    file = FileDescriptorProto(
        name=f"connectory/aliases/{package.replace('.', '/')}.proto",
        package=package,
        syntax="proto3",
        dependency=[source.name, *(dependency.name for dependency in source.dependencies)],
    )
    for served in services:
        service = file.service.add(name=served.name.rpartition(".")[2])
        for name, meaning in served.methods.items():
            method = source.services_by_name[served.source].methods_by_name[meaning]
            service.method.add(
                name=name,
                input_type=f".{method.input_type.full_name}",
                output_type=f".{method.output_type.full_name}",
                client_streaming=method.client_streaming,
                server_streaming=method.server_streaming,
            )
    return file
