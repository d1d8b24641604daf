"""What a connector's process writes: part of the server's log, and its beginning and end kept for when it fails.

The pipe is this file's own and not the event loop's: a process that a connector started may hold it open long after the
connector's process has ended, and that end must be noticed at once.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Final

__all__ = ["Output"]

_HEAD: Final = 3
_TAIL: Final = 8
_LONGEST: Final = 64 * 1024
_log = logging.getLogger("connectory.isolation")


class Output:
    """A pipe for standard output and standard error; `started` or `discard` must follow."""

    def __init__(self) -> None:
        self._reading, self.descriptor = os.pipe()
        self._head: list[str] = []
        self._tail: deque[str] = deque(maxlen=_TAIL)
        self._task: asyncio.Task[None] | None = None

    def started(self, facts: Mapping[str, object]) -> None:
        """The process has its end of the pipe; log what comes out of it, with these facts."""
        os.close(self.descriptor)
        self._task = asyncio.create_task(self._read(facts))

    def discard(self) -> None:
        """There is no process."""
        os.close(self.descriptor)
        os.close(self._reading)

    async def finished(self, *, within: float) -> None:
        """Wait until all is read, for so many seconds at most."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=within)

    def close(self) -> None:
        """Read no more."""
        if self._task is not None:
            self._task.cancel()

    def __str__(self) -> str:
        """The beginning and the end of it, where the reason is."""
        return " | ".join(line for line in (*self._head, *self._tail) if line.strip())

    async def _read(self, facts: Mapping[str, object]) -> None:
        reader = asyncio.StreamReader()
        pipe = os.fdopen(self._reading, "rb", buffering=0)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        try:
            async for line in _lines(reader):
                (self._head if len(self._head) < _HEAD else self._tail).append(line)
                _log.warning("%s", line, extra=facts)
        finally:
            transport.close()


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[str]:
    """The lines, however long."""
    rest = b""
    while data := await reader.read(_LONGEST):
        *lines, rest = (rest + data).split(b"\n")
        if len(rest) > _LONGEST:
            lines, rest = [*lines, rest], b""
        for line in lines:
            yield line.decode(errors="replace").rstrip("\r")
    if rest:
        yield rest.decode(errors="replace")
