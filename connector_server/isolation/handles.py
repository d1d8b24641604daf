"""Handles of a connector in another process: passed on as they are, byte for byte."""

from dataclasses import dataclass
from typing import Any

import msgspec

from connectory.connector.handles import checked_head

__all__ = ["WholeHandle", "WholeHandles"]


@dataclass(frozen=True, slots=True)
class WholeHandle:
    """A job, by the handle that its connector's process wrote."""

    data: bytes


class _Envelope(msgspec.Struct, omit_defaults=True):
    v: int
    category: str
    job: dict[str, Any]
    outputs: bytes = b""


class WholeHandles:
    """Refuses what is no handle of the category, or newer than `version`; the rest is for the connector's process."""

    def __init__(self, version: int) -> None:
        self._version = version

    def encode(self, label: str, job: Any, outputs: bytes) -> bytes:
        """The handle; its process has put label and outputs into it."""
        whole: WholeHandle = job
        return whole.data

    def decode(self, label: str, data: bytes) -> tuple[WholeHandle, bytes]:
        """The handle itself, and the outputs that its task declares."""
        return WholeHandle(data), checked_head(label, data, self._version).outputs

    def completed(self, label: str, job: bytes, outputs: bytes) -> bytes:
        """The handle of a job that is written down in JSON. Whether it fits the connector shows with the next call."""
        said = msgspec.json.decode(job, type=dict[str, Any])
        return msgspec.json.encode(_Envelope(self._version, label, said, outputs))
