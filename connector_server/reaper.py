"""The reaper: looks again and again after jobs that nobody looks after, as long as the server runs."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectory.connector.reaping import Reaping
from connectory.errors import ConnectoryError

__all__ = ["reaper"]

_log = logging.getLogger("connectory.server.reaper")


@asynccontextmanager
async def reaper(reaping: Reaping, every: float) -> AsyncIterator[None]:
    """Reap every so many seconds (0: never) until the block ends."""
    task = asyncio.create_task(_keep_reaping(reaping, every)) if every > 0 else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.wait([task])


async def _keep_reaping(reaping: Reaping, every: float) -> None:
    was_well = True
    while True:
        await asyncio.sleep(every)
        try:
            await reaping.round()
            was_well = True
        except ConnectoryError as error:
            if was_well:
                _log.error("abandoned jobs cannot be looked after now: %s", error)
            was_well = False
        except Exception:
            _log.exception("abandoned jobs could not be looked after")
