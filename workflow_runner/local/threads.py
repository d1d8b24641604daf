"""Threads that are used again, because beginning one takes longer than many a task."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final

__all__ = ["run_in_thread"]

_PATIENCE: Final = 2.0
"""For so many seconds a thread waits for the next work."""


class _Threads:
    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """A process that was forked has none of the threads of its parent."""
        self._lock = threading.Lock()
        self._idle: list[SimpleQueue[tuple[str, Callable[[], None]]]] = []

    def run(self, name: str, work: Callable[[], None]) -> None:
        with self._lock:
            inbox = self._idle.pop() if self._idle else None
        if inbox is not None:
            inbox.put((name, work))
            return
        inbox = SimpleQueue()
        inbox.put((name, work))
        threading.Thread(target=self._serve, args=(inbox,), name=name, daemon=True).start()

    def _serve(self, inbox: SimpleQueue[tuple[str, Callable[[], None]]]) -> None:
        while True:
            try:
                name, work = inbox.get(timeout=_PATIENCE)
            except Empty:
                with self._lock:
                    if inbox in self._idle:
                        self._idle.remove(inbox)
                        return
                continue  # work is on its way
            threading.current_thread().name = name
            work()
            del work
            with self._lock:
                self._idle.append(inbox)


_threads = _Threads()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.forget)


def run_in_thread(name: str, work: Callable[[], None]) -> None:
    """Run work, which raises nothing, in a thread of this name, which does not keep the program from ending."""
    _threads.run(name, work)
