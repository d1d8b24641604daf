"""The reaper: looks again and again after jobs that nobody looks after, as long as the server runs."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectory.connector.reaping import Reaping
from connectory.errors import ConnectoryError

__all__ = ["Pace", "reaper"]

_log = logging.getLogger("connectory.server.reaper")


class Pace:
    """How often something is done, in seconds between two times; 0: never. It may change at any time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._changed = asyncio.Event()

    def change(self, seconds: float) -> None:
        """Go by another pace from now on."""
        if seconds != self._seconds:
            self._seconds = seconds
            self._changed.set()

    async def pause(self) -> None:
        """Return when it is time again."""
        while True:
            self._changed.clear()
            try:
                async with asyncio.timeout(self._seconds or None):
                    await self._changed.wait()
            except TimeoutError:
                return


@asynccontextmanager
async def reaper(reaping: Reaping, pace: Pace) -> AsyncIterator[None]:
    """Reap at this pace until the block ends."""
    task = asyncio.create_task(_keep_reaping(reaping, pace))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _keep_reaping(reaping: Reaping, pace: Pace) -> None:
    was_well = True
    while True:
        await pace.pause()
        try:
            await reaping.round()
            was_well = True
        except ConnectoryError as error:
            if was_well:
                _log.error("abandoned jobs cannot be looked after now: %s", error)
            was_well = False
        except Exception:
            _log.exception("abandoned jobs could not be looked after")
