"""What a supervisor and a worker tell each other: a line of JSON each, over the socket that is the worker's input.

The first line is the worker's settings. When the socket ends, the other one is gone.
"""

import asyncio
import json
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

__all__ = ["LONGEST", "Asked", "Instruction", "WorkerLink"]

LONGEST: Final = 16 * 1024 * 1024
"""No line is longer than so many bytes."""


class Instruction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a supervisor tells a worker: go by these settings, or: what is written cannot be used."""

    settings: dict[str, Any] | None = None
    refusal: str = ""
    modules: bool = True
    """Whether connectors are loaded anew."""
    after_restart: tuple[str, ...] = ()
    others: int = 0
    answers: int = 0
    """The highest number of the worker's wishes that this fulfils."""


class Asked(msgspec.Struct, frozen=True):
    """What a worker tells its supervisor: that all are to reload."""

    number: int


class WorkerLink:
    """The supervisor's end."""

    def __init__(self, told: Mapping[str, object]) -> None:
        self._unsent = json.dumps(told).encode() + b"\n"
        self._writer: asyncio.StreamWriter | None = None
        self.asked = 0
        """The highest number of a wish that came."""
        self.worker_end, self._end = socket.socketpair()

    async def open(self, wish: Callable[[], object]) -> None:
        """Begin, once the worker has its end, and return when it is gone. It asks for a reload by `wish`."""
        self.worker_end.close()
        reader, self._writer = await asyncio.open_connection(sock=self._end, limit=LONGEST)
        self._writer.write(self._unsent)
        try:
            while line := await reader.readline():
                self.asked = msgspec.json.decode(line, type=Asked).number
                wish()
        except ConnectionError:
            return

    def tell(self, instruction: Instruction) -> None:
        """Tell the worker something; one that is gone is not told."""
        line = msgspec.json.encode(instruction) + b"\n"
        if self._writer is None:
            self._unsent += line
        elif not self._writer.is_closing():
            self._writer.write(line)

    def close(self) -> None:
        """Let the worker know that nothing more will come."""
        self.worker_end.close()
        if self._writer is not None:
            self._writer.close()
        else:
            self._end.close()
