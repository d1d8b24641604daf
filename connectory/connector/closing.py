"""How a connector ends: at the end of the service, or when nothing uses it any more that was replaced."""

import asyncio
import gc
import logging
import weakref
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain, repeat
from typing import Final

from connectory.connector.failures import FAILURES, translated
from connectory.connector.registry import Registration

__all__ = ["Retiring", "close"]

_LOOKS: Final = (0.05, 0.25, 1.0, 5.0, 15.0)
"""Seconds between looks after connectors that are still in use; the last one goes on."""
_log = logging.getLogger("connectory.connector")


async def close(registration: Registration) -> None:
    """Close a connector and its threads. A failure is logged."""
    operation = registration.operations.get("close")
    try:
        if operation is not None:
            await operation()
    except FAILURES as error:
        told = translated(error, registration, "close")
        registration.logger.error("connector %s could not be closed: %s", registration.name, told)
    finally:
        registration.pool.close()
        registration.check_pool.close()


class Retiring:
    """Closes connectors that were replaced, each once nothing refers to its registration any more.

    Whatever still works with a connector, a call, a create whose caller went away or a deletion that is tried again,
    holds its registration for as long as it does; so nothing has to be counted where calls are fast. What only
    remembers registrations to save time must let go of those that serve no more when `forget` is called.
    """

    def __init__(self, forget: Callable[[], None]) -> None:
        self._forget = forget
        self._tasks: set[asyncio.Task[None]] = set()
        self._helping: asyncio.Task[None] | None = None
        self._end = asyncio.Event()

    @property
    def count(self) -> int:
        """How many are not closed yet."""
        return len(self._tasks)

    def retire(self, registrations: Iterable[Registration]) -> None:
        """Close these when they are not used any more. The caller must not keep them."""
        loop = asyncio.get_running_loop()
        for registration in registrations:
            unused = asyncio.Event()
            weakref.finalize(registration, _tell, loop, unused).atexit = False
            task = asyncio.create_task(self._close(replace(registration), unused))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if self._helping is not None:
            self._helping.cancel()
        self._helping = asyncio.create_task(self._let_go())

    async def aclose(self) -> None:
        """Close what is left, used or not."""
        self._end.set()
        if self._helping is not None:
            self._helping.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _close(self, registration: Registration, unused: asyncio.Event) -> None:
        """Close a connector by a copy of its registration, which nobody else has, once the original is gone."""
        waits = [asyncio.ensure_future(event.wait()) for event in (unused, self._end)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await close(registration)
        _log.info("the replaced connector %s is closed", registration.name)

    async def _let_go(self) -> None:
        """See to it that nothing holds on to a registration without using it."""
        for seconds in chain(_LOOKS, repeat(_LOOKS[-1])):
            if not self._tasks:
                return
            self._forget()
            gc.collect()  # the error of a call that ended may still hold the call
            await asyncio.sleep(seconds)


def _tell(loop: asyncio.AbstractEventLoop, unused: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(unused.set)
