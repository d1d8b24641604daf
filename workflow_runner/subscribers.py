"""Who watches an execution."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from workflow_runner.engine.state import State
from workflow_runner.views import ExecutionUpdate, NodeUpdate, node_view

__all__ = ["Subscribers", "Update"]

Update = NodeUpdate | ExecutionUpdate


class Subscribers:
    """Tells everyone who watches what changed from one state to the next."""

    def __init__(self, execution: str) -> None:
        self._execution = execution
        self._queues: list[asyncio.Queue[Update | None]] = []
        self._closed = False

    @property
    def are_there(self) -> bool:
        """Whether anybody watches."""
        return bool(self._queues)

    async def subscribe(self, state: State) -> AsyncIterator[Update]:
        """Where the execution stands, then every change, until it ends or is paused."""
        queue: asyncio.Queue[Update | None] = asyncio.Queue()
        for known in self._changes(State(), state):
            queue.put_nowait(known)
        if self._closed:
            queue.put_nowait(None)
        self._queues.append(queue)
        try:
            while (update := await queue.get()) is not None:
                yield update
        finally:
            self._queues.remove(queue)

    def publish(self, before: State, after: State) -> None:
        """The state has changed."""
        if self._queues:
            for update in self._changes(before, after):
                for queue in self._queues:
                    queue.put_nowait(update)

    def close(self) -> None:
        """Nothing changes any more."""
        self._closed = True
        for queue in self._queues:
            queue.put_nowait(None)

    def _changes(self, before: State, after: State) -> Iterator[Update]:
        for path, node in after.nodes.items():
            if before.nodes.get(path) is not node:
                yield NodeUpdate(execution_id=self._execution, node=node_view(node))
        if before.phase is not after.phase or not before.execution:
            yield ExecutionUpdate(execution_id=self._execution, phase=after.phase, error=after.failure)
