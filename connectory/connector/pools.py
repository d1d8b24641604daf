"""One bounded pool of threads per connector, so that a slow one delays nobody else."""

import asyncio
import contextlib
import contextvars
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

__all__ = ["BoundedPool"]

T = TypeVar("T")


class _Call:
    """A call that waits for a thread, and where its outcome goes."""

    __slots__ = ("_args", "_context", "_function", "_future", "_loop", "dropped")

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._function = function
        self._args = args
        self._context = contextvars.copy_context()
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[Any] = self._loop.create_future()
        self.dropped = False

    async def outcome(self) -> Any:
        try:
            return await self._future
        except asyncio.CancelledError:
            self.dropped = True
            raise

    def perform(self) -> Callable[[], None]:
        """Make the call; what is returned tells its outcome to whoever awaits it."""
        try:
            result = self._context.run(self._function, *self._args)
        except (StopIteration, KeyboardInterrupt) as error:  # the one no future carries, the other would end the loop
            return partial(self.refuse, RuntimeError(f"the call ended with {type(error).__name__}"))
        except BaseException as error:  # handed over to whoever awaits the call
            return partial(self.refuse, error)
        return partial(self._tell, self._succeed, result)

    def refuse(self, error: BaseException) -> None:
        self._tell(self._fail, error)

    def _tell(self, settle: Callable[[Any], None], outcome: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(settle, outcome)

    def _succeed(self, result: Any) -> None:
        if not self._future.done():
            self._future.set_result(result)

    def _fail(self, error: BaseException) -> None:
        if not self._future.done():
            self._future.set_exception(error)


class BoundedPool:
    """At most `size` calls at once, each on a thread named after the pool; more of them wait in order.

    Threads start when they are first needed and are daemons, so that a call which never returns cannot keep the
    process from ending. A waiting call whose caller is cancelled is dropped; a running one cannot be stopped.
    """

    def __init__(self, name: str, size: int) -> None:
        if size < 1:
            raise ValueError(f"pool {name!r} needs at least one thread, not {size}")
        self.name = name
        self.size = size
        self._waiting: deque[_Call] = deque()
        self._changed = threading.Condition()
        self._threads = 0
        self._active = 0
        self._closed = False

    @property
    def queued(self) -> int:
        """How many calls wait for a thread."""
        return len(self._waiting)

    @property
    def active(self) -> int:
        """How many calls run now."""
        return self._active

    async def run(self, function: Callable[..., T], /, *args: Any) -> T:
        """Call the function on one of the threads, with the caller's context variables."""
        call = _Call(function, args)
        with self._changed:
            if self._closed:
                raise RuntimeError(f"pool {self.name!r} is closed")
            self._waiting.append(call)
            self._changed.notify()
            if self._active + len(self._waiting) > self._threads and self._threads < self.size:
                self._start_thread()
        result: T = await call.outcome()
        return result

    def close(self) -> None:
        """Refuse new calls and those that wait; what runs is left to end by itself."""
        with self._changed:
            self._closed = True
            waiting = list(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        for call in waiting:
            call.refuse(RuntimeError(f"pool {self.name!r} was closed before the call could start"))

    def _start_thread(self) -> None:
        self._threads += 1
        threading.Thread(target=self._work, name=f"{self.name}-{self._threads}", daemon=True).start()

    def _work(self) -> None:
        while (call := self._next()) is not None:
            tell = None if call.dropped else call.perform()
            with self._changed:
                self._active -= 1  # before it is told, so that whoever is told finds this thread free
            if tell is not None:
                tell()
            del call, tell

    def _next(self) -> _Call | None:
        with self._changed:
            while not self._waiting:
                if self._closed:
                    return None
                self._changed.wait()
            self._active += 1
            return self._waiting.popleft()
