"""Jobs whose caller went away before it learned their handle: nobody else could end them, so they are ended here."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Final

from connectory.errors import ConnectoryError, RateLimitedError

__all__ = ["Orphans", "persistently"]

Create = Callable[[], Coroutine[Any, Any, bytes]]

ATTEMPTS: Final = 5
_LONGEST_PAUSE: Final = 5.0
_log = logging.getLogger("connectory.connector")


class Orphans:
    """Runs creates that nobody can ask for again. One whose caller goes away is finished, and its job then deleted."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def adopt(
        self, create: Callable[[], Coroutine[Any, Any, bytes]], delete: Callable[[bytes], Awaitable[None]]
    ) -> bytes:
        """The handle that `create` gives."""
        task = self._begin(create())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._begin(_deleted(task, delete))
            raise

    def _begin(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def aclose(self) -> None:
        """Wait until the creates under way are finished and their orphans deleted."""
        while self._tasks:
            await asyncio.wait(self._tasks)


async def persistently(work: Callable[[], Awaitable[None]]) -> None:
    """Do the work, and again with back-off while it fails; the last failure is raised.

    An external system that says when to come again is left alone until then, for some seconds at most.
    """
    for attempt in range(ATTEMPTS - 1):
        try:
            return await work()
        except Exception as error:
            wait = max(0.2 * 2**attempt, _wanted_pause(error))
        await asyncio.sleep(wait)
    return await work()


def _wanted_pause(error: Exception) -> float:
    if not isinstance(error, RateLimitedError) or error.retry_after is None:
        return 0.0
    return min(error.retry_after.total_seconds(), _LONGEST_PAUSE)


async def _deleted(create: asyncio.Task[bytes], delete: Callable[[bytes], Awaitable[None]]) -> None:
    try:
        handle = await create
    except (ConnectoryError, asyncio.CancelledError):
        return
    try:
        await persistently(partial(delete, handle))
    except Exception as error:
        _log.error("a job whose caller went away could not be deleted: %s: %s", type(error).__name__, error)
