"""What every served name looks like, for reflection. Loaded by whoever asks first."""

from functools import cache

from google.protobuf import descriptor_pool

from connector_server.names import SERVICES
from connectory.rpc import descriptions
from connectory.v1 import jobs_pb2, operations_pb2, services_pb2, watch_pb2

__all__ = ["describe"]


@cache
def describe() -> descriptor_pool.DescriptorPool:
    """A pool that describes every served name with our messages."""
    ours = (jobs_pb2.DESCRIPTOR, operations_pb2.DESCRIPTOR, watch_pb2.DESCRIPTOR)
    return descriptions.describe(services_pb2.DESCRIPTOR, SERVICES, *ours)
