"""Threads for attempts that run beside each other, or that must not outlast their time."""

from __future__ import annotations

import contextvars
from collections.abc import Callable

from connectory.authoring.blocking import Cancellation
from workflow_runner.local.attempts import Result, Work
from workflow_runner.local.calls import LocalCalls
from workflow_runner.local.threads import run_in_thread

__all__ = ["Worker"]


class Worker:
    """One attempt in a thread of its own, with the context variables of the thread that starts it.

    Its code cannot be ended. What it waits for can: coroutines, jobs of connectors, and calls of an eager task.
    """

    def __init__(
        self, name: str, work: Work, cancellation: Cancellation, calls: LocalCalls | None, end: Callable[[Result], None]
    ) -> None:
        self.calls = calls
        self._work = work
        self._cancellation = cancellation
        self._end = end
        self._name = name
        self._context = contextvars.copy_context()

    def start(self) -> None:
        """Begin."""
        run_in_thread(self._name, lambda: self._context.run(self._run))

    def cancel(self) -> bool:
        """Have the code end where it waits; whether it waits for anything that can be ended."""
        waits = self._cancellation.cancel()
        if self.calls is None:
            return waits
        self.calls.abandon()
        return True

    @property
    def is_orderly(self) -> bool:
        """Whether the end is worth waiting for however long it takes: a job is being deleted."""
        return self._cancellation.is_orderly

    def _run(self) -> None:
        self._end(self._work())
