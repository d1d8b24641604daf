"""Handles of a connector in another process: passed on as they are, byte for byte."""

from dataclasses import dataclass
from typing import Any

from connectory.connector.contract import AsyncConnector
from connectory.connector.handles import HandleCodec, checked_head

__all__ = ["WholeHandle", "WholeHandles"]


@dataclass(frozen=True, slots=True)
class WholeHandle:
    """A job, by the handle that its connector's process wrote."""

    data: bytes


class WholeHandles:
    """Refuses what is no handle of the connector, or newer than its own; the rest is for the connector's process."""

    def __init__(self, connector: AsyncConnector[Any, Any]) -> None:
        self._version = connector.handle_version
        self._codec = HandleCodec(connector, dict[str, Any])

    def encode(self, label: str, job: Any, outputs: bytes) -> bytes:
        """The handle; its process has put label and outputs into it."""
        whole: WholeHandle = job
        return whole.data

    def decode(self, label: str, data: bytes) -> tuple[WholeHandle, bytes]:
        """The handle itself, and the outputs that its task declares."""
        return WholeHandle(data), checked_head(label, data, self._version).outputs

    def completed(self, label: str, job: bytes, outputs: bytes) -> bytes:
        """The handle of a job that is written down in JSON. Whether it fits the connector shows with the next call."""
        return self._codec.completed(label, job, outputs)
