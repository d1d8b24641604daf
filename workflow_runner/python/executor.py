"""What runs the code of Python tasks."""

import asyncio
from typing import Protocol

import msgspec

from workflow_runner.plugins.node_calls import NodeCalls
from workflow_runner.python.messages import Call, Reply

__all__ = ["Announced", "CallExecutor", "EagerExecutor", "Unannounced"]


class Announced(Protocol):
    """A call that is to begin soon, or not at all; nothing of it has happened."""

    def begin(self) -> asyncio.Future[Reply]:
        """Run it to its end, as `CallExecutor.begin` does."""
        ...

    def drop(self) -> None:
        """It won't begin."""
        ...


class CallExecutor(Protocol):
    """Runs the code of tasks somewhere."""

    def begin(self, call: Call) -> asyncio.Future[Reply]:
        """Run one call to its end. Cancelling the future ends the call, if one can be ended at all."""
        ...

    def announce(self, call: Call) -> Announced:
        """Get ready for a call, as far as that is of use."""
        ...

    async def close(self) -> None:
        """Release threads or processes."""
        ...


class EagerExecutor(Protocol):
    """Runs the code of eager tasks."""

    async def drive(self, call: Call, calls: NodeCalls) -> Reply:
        """Run one call to its end; what the code calls is run by `calls`.

        Cancelled, it ends the call, or raises NotConfirmableError when it cannot.
        """
        ...


class Unannounced(msgspec.Struct, eq=False):
    """A call that nothing is made ready for."""

    _executor: CallExecutor
    _call: Call

    def begin(self) -> asyncio.Future[Reply]:
        """See `Announced.begin`."""
        return self._executor.begin(self._call)

    def drop(self) -> None:
        """See `Announced.drop`."""
