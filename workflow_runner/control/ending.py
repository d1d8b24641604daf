"""Ending executions: answered once the end has begun and is kept, not when everything is gone."""

import asyncio
import logging

from connectory.errors import ConnectoryError
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.runner import Runner
from workflow_runner.views import ExecutionUpdate

__all__ = ["Ending"]

_log = logging.getLogger("connectory.runner")
_ENDING = frozenset({ExecutionPhase.ABORTING, ExecutionPhase.ABORTED})


class Ending:
    """Ends executions. Closing it leaves those that are still ending to the next runner."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._tasks: set[asyncio.Task[None]] = set()

    async def end(self, execution_id: str, cause: str) -> None:
        """Let an execution end; one that has ended stays as it is."""
        if (await self._runner.state(execution_id)).phase.is_terminal:
            return
        task = asyncio.create_task(self._abort(execution_id, cause), name=f"end {execution_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await self._runner.resume(execution_id, take_over=True)
        async for update in self._runner.subscribe(execution_id):
            if isinstance(update, ExecutionUpdate) and (update.phase in _ENDING or update.phase.is_terminal):
                return

    async def close(self) -> None:
        """Stop waiting for ends."""
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _abort(self, execution_id: str, cause: str) -> None:
        try:
            await self._runner.abort(execution_id, cause)
        except ConnectoryError as error:
            _log.warning("execution %s is not ended yet: %s", execution_id, error)
