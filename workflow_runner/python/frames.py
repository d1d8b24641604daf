"""Messages on a stream of bytes: four bytes of length, then the message."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # worker processes do without
    import asyncio

__all__ = ["pack", "read_frame", "receive_frame"]

_LENGTH = struct.Struct("!I")


def pack(message: bytes) -> bytes:
    """The message as it goes over the stream."""
    return _LENGTH.pack(len(message)) + message


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """The next message; asyncio.IncompleteReadError when the other side is gone."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    return await reader.readexactly(length)


def receive_frame(connection: socket.socket) -> bytes | None:
    """The same for a blocking socket; None when the other side is gone."""
    head = _receive(connection, _LENGTH.size)
    if head is None:
        return None
    return _receive(connection, _LENGTH.unpack(head)[0])


def _receive(connection: socket.socket, length: int) -> bytes | None:
    data = bytearray()
    while len(data) < length:
        try:
            part = connection.recv(min(length - len(data), 1 << 20))
        except ConnectionError:
            return None
        if not part:
            return None
        data += part
    return bytes(data)
