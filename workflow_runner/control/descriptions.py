"""What the names of the control API look like, for reflection. Loaded by whoever asks first."""

from functools import cache

from google.protobuf import descriptor_pool

from connectory.rpc.descriptions import describe
from connectory.v1 import control_pb2
from workflow_runner.control.names import SERVICES

__all__ = ["described"]


@cache
def described() -> descriptor_pool.DescriptorPool:
    """A pool that describes every served name with our messages."""
    return describe(control_pb2.DESCRIPTOR, SERVICES)
