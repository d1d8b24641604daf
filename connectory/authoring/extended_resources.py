"""Kinds of accelerators, and memory that processes share."""

from __future__ import annotations

from dataclasses import dataclass

from connectory.authoring.location import authoring_error
from connectory.v1 import tasks_pb2

__all__ = ["GPUAccelerator", "extended_resources_message"]

_SHARED_MEMORY_NAME = "flyte-shared-memory"
_SHARED_MEMORY_PATH = "/dev/shm"


@dataclass(frozen=True)
class GPUAccelerator:
    """A kind of accelerator by the name that the platform has for it ("nvidia-tesla-t4"), or a part of one.

    `partition_size` is a part ("1g.5gb"); `unpartitioned=True` asks for a whole one among those that are divided.
    """

    device: str
    partition_size: str | None = None
    unpartitioned: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.device, str) or not self.device:
            raise authoring_error(f"an accelerator is called by its device's name, not {self.device!r}")

    def to_proto(self) -> tasks_pb2.GPUAccelerator:
        """The accelerator as a template carries it."""
        message = tasks_pb2.GPUAccelerator(device=self.device)
        if self.partition_size is not None:
            message.partition_size = self.partition_size
        elif self.unpartitioned:
            message.unpartitioned = True
        return message


def extended_resources_message(
    *, accelerator: GPUAccelerator | None = None, shared_memory: bool | str | None = None
) -> tasks_pb2.ExtendedResources | None:
    """What a node or task wants besides amounts; None when that is nothing. `shared_memory` is True, or a size."""
    if accelerator is not None and not isinstance(accelerator, GPUAccelerator):
        raise authoring_error(f"accelerator is {accelerator!r}; give a GPUAccelerator")
    if accelerator is None and not shared_memory:
        return None
    message = tasks_pb2.ExtendedResources(gpu_accelerator=accelerator.to_proto() if accelerator else None)
    if shared_memory:
        if shared_memory is not True and not isinstance(shared_memory, str):
            raise authoring_error(f"shared_memory is {shared_memory!r}; give True, or a size such as '2Gi'")
        message.shared_memory.mount_name = _SHARED_MEMORY_NAME
        message.shared_memory.mount_path = _SHARED_MEMORY_PATH
        message.shared_memory.size_limit = "" if shared_memory is True else shared_memory
    return message
