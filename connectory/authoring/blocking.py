"""Waits for coroutines in plain functions, whether an event loop runs here already or not."""

import asyncio
import contextvars
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final, TypeVar

__all__ = ["Cancellation", "cancellable", "completed"]

T = TypeVar("T")

_LOOK_EVERY: Final = 0.1
"""How often a caller that blocks a loop is looked at, in seconds."""


class Cancellation:
    """Lets another thread cancel the coroutines that code waits for by `completed`."""

    def __init__(self) -> None:
        self.is_orderly = False
        """Whether a coroutine was waited for that ends what it began, however long that takes."""
        self._lock = Lock()
        self._running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []
        self._is_cancelled = False

    def cancel(self) -> bool:
        """Cancel them, also those that are still to come; whether there was one."""
        with self._lock:
            self._is_cancelled = True
            for loop, task in self._running:
                loop.call_soon_threadsafe(task.cancel)
            return bool(self._running)

    async def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await the coroutine as one that can be cancelled from outside."""
        task = asyncio.current_task()
        if task is None:
            return await coroutine
        entry = asyncio.get_running_loop(), task
        with self._lock:
            self._running.append(entry)
            if self._is_cancelled:
                task.cancel()
        try:
            return await coroutine
        finally:
            with self._lock:
                self._running.remove(entry)


_cancellation: contextvars.ContextVar[Cancellation | None] = contextvars.ContextVar(
    "connectory_cancellation", default=None
)


@contextmanager
def cancellable(cancellation: Cancellation) -> Iterator[None]:
    """While this is entered, what is waited for by `completed` can be cancelled."""
    token = _cancellation.set(cancellation)
    try:
        yield
    finally:
        _cancellation.reset(token)


def completed(coroutine: Coroutine[Any, Any, T], *, is_orderly: bool = False) -> T:
    """The result of a coroutine, run in a loop of its own: in a thread of its own when a loop runs in this one.

    Ctrl-C cancels the coroutine, and is raised once it has ended. `is_orderly` says that it ends what it began outside
    when it is cancelled, so that it is to be waited for.
    """
    cancellation = _cancellation.get()
    if cancellation is not None:
        cancellation.is_orderly = cancellation.is_orderly or is_orderly
        coroutine = cancellation.run(coroutine)
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
