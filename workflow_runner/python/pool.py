"""Threads that work on what an event loop hands them."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from workflow_runner.python.prompt import PromptFuture

__all__ = ["ThreadPool"]

WorkT = TypeVar("WorkT")
DoneT = TypeVar("DoneT")


class ThreadPool(Generic[WorkT, DoneT]):
    """At most `size` threads for one event loop, started when there is work for them.

    `perform` is called with one piece of work after the other, and never raises. Results that are ready together reach
    the event loop together, which an executor of the standard library does not do. The threads do not keep the process
    from ending.

    While nothing else waits for a thread, `follow` is called with work and its result, and never raises either. Work
    that it gives is performed next by the same thread, and its result takes the place of the one before.
    """

    def __init__(
        self,
        perform: Callable[[WorkT], DoneT],
        *,
        size: int,
        name: str,
        follow: Callable[[WorkT, DoneT], WorkT | None] = lambda work, done: None,
    ) -> None:
        self._perform = perform
        self._follow = follow
        self._size = size
        self._name = name
        self._work: SimpleQueue[tuple[WorkT, asyncio.Future[DoneT]] | None] = SimpleQueue()
        self._done: deque[tuple[asyncio.Future[DoneT], DoneT | None]] = deque()
        self._threads = 0
        self._under_way = 0
        self._is_told = False
        """Whether the event loop is going to look at what is done."""

    def begin(self, work: WorkT) -> asyncio.Future[DoneT]:
        """Have this performed; its result. Cancelled before a thread has come to it, it is left out."""
        future: PromptFuture[DoneT] = PromptFuture(loop=asyncio.get_running_loop())
        self._under_way += 1
        if self._threads < min(self._under_way, self._size):
            self._threads += 1
            threading.Thread(target=self._run, name=f"{self._name}_{self._threads}", daemon=True).start()
        self._work.put((work, future))
        return future

    def close(self) -> None:
        """Begin nothing more, and let the threads end once they have done what they are at."""
        while True:
            try:
                item = self._work.get_nowait()
            except Empty:
                break
            if item is not None:
                item[1].cancel()
        for _ in range(self._threads):
            self._work.put(None)

    def _run(self) -> None:
        while (item := self._work.get()) is not None:
            work, future = item
            self._done.append((future, None if future.cancelled() else self._performed(work)))
            if not self._is_told:
                self._is_told = True
                try:
                    future.get_loop().call_soon_threadsafe(self._deliver)
                except RuntimeError:  # the loop is closed: nobody waits any more
                    return
            del item, work, future  # nothing is kept alive by a thread that waits

    def _performed(self, work: WorkT) -> DoneT:
        done = self._perform(work)
        while self._work.empty() and (following := self._follow(work, done)) is not None:
            work = following
            done = self._perform(work)
        return done

    def _deliver(self) -> None:
        self._is_told = False  # before looking: what is done from now on is told again
        while self._done:
            future, result = self._done.popleft()
            self._under_way -= 1
            if not future.done() and result is not None:
                future.set_result(result)
