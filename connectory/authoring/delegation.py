"""Where calls go that code makes while it runs: they are run right there, unless somebody else is to run them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

from connectory.v1 import literals_pb2

if TYPE_CHECKING:
    from connectory.authoring.entity import Entity

__all__ = ["Delegate", "current_delegate", "delegated"]


class Delegate(Protocol):
    """Runs tasks, workflows and launch plans for the code of an eager task. Usable from any thread of this code.

    Both give the outputs, and raise TaskFailedError when there are none because something failed.
    """

    def run(self, entity: Entity, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """Block until it has ended."""
        ...

    async def run_async(self, entity: Entity, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """Wait until it has ended. Cancelled, it is ended early."""
        ...


_current: ContextVar[Delegate | None] = ContextVar("connectory_delegate", default=None)


def current_delegate() -> Delegate | None:
    """Who runs what is called here; None: it runs in this process."""
    return _current.get()


@contextmanager
def delegated(delegate: Delegate | None) -> Iterator[None]:
    """While this is entered, calls go to the delegate; None: they are run right there."""
    token = _current.set(delegate)
    try:
        yield
    finally:
        _current.reset(token)
