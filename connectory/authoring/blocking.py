"""Waits for coroutines in plain functions, whether an event loop runs here already or not."""

import asyncio
import contextvars
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final, TypeVar

__all__ = ["completed"]

T = TypeVar("T")

_LOOK_EVERY: Final = 0.1
"""How often a caller that blocks a loop is looked at, in seconds."""


def completed(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, run in a loop of its own: in a thread of its own when a loop runs in this one.

    Ctrl-C cancels the coroutine, and is raised once it has ended.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    return _in_thread(coroutine)


def _in_thread(coroutine: Coroutine[Any, Any, T]) -> T:
    running: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = Future()

    async def main() -> T:
        task = asyncio.ensure_future(coroutine)
        running.set_result((asyncio.get_running_loop(), task))
        return await task

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="connectory-call") as pool:
        result = pool.submit(contextvars.copy_context().run, asyncio.run, main())
        try:
            _wait(result)
        except (KeyboardInterrupt, asyncio.CancelledError):
            loop, task = running.result()
            loop.call_soon_threadsafe(task.cancel)
            raise  # leaving the pool waits for the coroutine's end
        return result.result()


def _wait(result: Future[Any]) -> None:
    """Block until there is a result, or the task that blocks here is cancelled, which is how Ctrl-C ends a loop."""
    caller = asyncio.current_task()
    while not wait([result], timeout=_LOOK_EVERY).done:
        if caller is not None and caller.cancelling():
            raise asyncio.CancelledError
