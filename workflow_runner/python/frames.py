"""Messages on a stream of bytes: four bytes of length, eight of a number that says what it is about, the message."""

import struct
from typing import Final

__all__ = ["Frame", "Frames", "pack"]

_HEAD: Final = struct.Struct("!IQ")
_SIZE: Final = _HEAD.size

Frame = tuple[int, bytes]
"""A message with its number."""


def pack(message: bytes, number: int = 0) -> bytes:
    """The message as it goes over the stream."""
    return _HEAD.pack(len(message), number) + message


class Frames:
    """Cuts a stream into messages."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The messages that are whole with this data."""
        rest = self._rest
        rest += data
        found: list[Frame] = []
        begin, end = 0, len(rest)
        with memoryview(rest) as view:
            while begin + _SIZE <= end:
                length, number = _HEAD.unpack_from(view, begin)
                if begin + _SIZE + length > end:
                    break
                found.append((number, bytes(view[begin + _SIZE : begin + _SIZE + length])))
                begin += _SIZE + length
        del rest[:begin]
        return found
