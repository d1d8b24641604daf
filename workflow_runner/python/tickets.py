"""Tickets in a pipe: whoever takes one out of it, the worker or the runner, is the only one who has it.

A worker begins a call when it has taken the call's ticket. So the runner may hand a worker several calls at a time, and
take back those that it has not begun, while it is busy with one: there is no moment in which both believe to have it.
"""

import os
import struct
from collections.abc import Iterable, Sequence
from typing import Final

__all__ = ["Tickets", "taken"]

_TICKET: Final = struct.Struct("!Q")


class Tickets:
    """The runner's side of such a pipe; `theirs` is where the worker takes its tickets."""

    def __init__(self) -> None:
        self.theirs, self._ours = os.pipe()
        os.set_blocking(self.theirs, False)

    def put(self, numbers: Iterable[int]) -> None:
        """Let the worker begin these calls, in this order. There is room for thousands."""
        os.write(self._ours, b"".join(map(_TICKET.pack, numbers)))

    def take_back(self, most: int) -> Sequence[int]:
        """At most so many that the worker has not begun: the first ones."""
        if most < 1:
            return []
        try:
            found = os.read(self.theirs, most * _TICKET.size)
        except BlockingIOError:
            return []
        return [number for (number,) in _TICKET.iter_unpack(found)]

    def close(self) -> None:
        """The worker has ended."""
        os.close(self._ours)
        os.close(self.theirs)


def taken(source: int) -> int | None:
    """The next ticket of the pipe that ends there; None when there is none now."""
    try:
        found = os.read(source, _TICKET.size)
    except BlockingIOError:
        return None
    return int(_TICKET.unpack(found)[0]) if found else None
