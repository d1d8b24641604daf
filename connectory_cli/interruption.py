"""Ctrl-C and SIGTERM while an execution runs: the first ends it in order, the second leaves at once."""

import asyncio
import shlex
import signal
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from connectory_cli.printing import say

__all__ = ["INTERRUPTED", "Interruption"]

INTERRUPTED = 130
"""The exit code of a command that was ended by a signal, as shells have it."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_SAME_SECONDS = 0.5
"""A signal so soon after the first one is the same one: `timeout`, `make` and others pass on what the group has got."""


class Interruption:
    """Takes the signals of the running event loop while it is entered, from before there is anything to abort."""

    def __init__(self, store: str, endpoints: Sequence[str] = (), modules: Sequence[str] = ()) -> None:
        self.execution = ""
        """The execution that is at work; empty: none has been started yet."""
        self.ended = False
        """Whether the execution has ended, so that there is nothing left to abort."""
        self._options = ["--store", store]
        for option, values in {"--connectors": endpoints, "--module": modules}.items():
            self._options += [word for value in values for word in (option, value)]
        self._event = asyncio.Event()
        self._came_at = 0.0

    @property
    def requested(self) -> bool:
        """Whether a signal has come."""
        return self._event.is_set()

    async def wait(self) -> None:
        """Return once a signal has come."""
        await self._event.wait()

    def command(self, verb: str) -> str:
        """The command that does something with the execution later."""
        return f"connectory executions {verb} {self.execution} {shlex.join(self._options)}"

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._signalled, number)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

    def _signalled(self, number: int) -> None:
        now = asyncio.get_running_loop().time()
        if self.requested and now - self._came_at < _SAME_SECONDS:
            return
        if self.requested or self.ended:
            self._leave(number)
        self._came_at = now
        self._event.set()
        if self.execution:
            say("\naborting: waiting until external jobs are gone (again to leave at once)")

    def _leave(self, number: int) -> None:
        if self.execution and not self.ended:
            say(f"\nleft while external jobs may still run; end them with: {self.command('abort')}")
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
