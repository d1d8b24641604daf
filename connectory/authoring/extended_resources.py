"""Kinds of accelerators, and memory that processes share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

from connectory.authoring.location import authoring_error
from connectory.v1 import tasks_pb2

__all__ = ["BaseAccelerator", "GPUAccelerator", "MultiInstanceGPUAccelerator", "extended_resources_message"]

_SHARED_MEMORY_NAME = "flyte-shared-memory"
_SHARED_MEMORY_PATH = "/dev/shm"


class BaseAccelerator(ABC):
    """A kind of accelerator. How many are wanted is said in `Resources`."""

    @abstractmethod
    def to_proto(self) -> tasks_pb2.GPUAccelerator:
        """The accelerator as a template carries it."""


@dataclass(frozen=True)
class GPUAccelerator(BaseAccelerator):
    """A kind of accelerator by the name that the platform has for it ("nvidia-tesla-t4")."""

    device: str

    def __post_init__(self) -> None:
        _require_device(self.device)

    def to_proto(self) -> tasks_pb2.GPUAccelerator:
        """The accelerator as a template carries it."""
        return tasks_pb2.GPUAccelerator(device=self.device)


class MultiInstanceGPUAccelerator(BaseAccelerator):
    """A kind of accelerator that can be divided. A subclass names its `device`; an instance leaves open what is wanted.

    `partitioned("1g.5gb")` wants a part of it, `unpartitioned` a whole one among those that are divided.
    """

    device: ClassVar[str] = ""

    def __init__(self, partition_size: str | None = None, *, whole: bool = False) -> None:
        _require_device(self.device)
        self._partition_size = partition_size
        self._whole = whole

    @property
    def unpartitioned(self) -> Self:
        """A whole one."""
        return type(self)(whole=True)

    @classmethod
    def partitioned(cls, partition_size: str) -> Self:
        """A part, by the name that the platform has for it."""
        if not isinstance(partition_size, str) or not partition_size:
            raise authoring_error(
                f"a part of {cls.device} is called by a name such as '1g.5gb', not {partition_size!r}"
            )
        return cls(partition_size)

    def to_proto(self) -> tasks_pb2.GPUAccelerator:
        """The accelerator as a template carries it."""
        message = tasks_pb2.GPUAccelerator(device=self.device)
        if self._partition_size is not None:
            message.partition_size = self._partition_size
        elif self._whole:
            message.unpartitioned = True
        return message


def extended_resources_message(
    *, accelerator: BaseAccelerator | None = None, shared_memory: bool | str | None = None
) -> tasks_pb2.ExtendedResources | None:
    """What a node or task wants besides amounts; None when that is nothing. `shared_memory` is True, or a size."""
    if accelerator is not None and not isinstance(accelerator, BaseAccelerator):
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


def _require_device(device: object) -> None:
    if not isinstance(device, str) or not device:
        raise authoring_error(f"an accelerator is called by its device's name, not {device!r}")
