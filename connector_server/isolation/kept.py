"""A child that is kept running: started again when it ends, later each time that it ends soon."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from time import monotonic
from typing import Any, Final

from connector_server.isolation.link import Link
from connector_server.isolation.messages import Ready
from connector_server.isolation.process import Child, ChildError, Plan
from connector_server.isolation.starting import start_child
from connector_server.supervisor import backoff
from connectory.connector.contract import JobContext
from connectory.errors import UnavailableError

__all__ = ["KeptChild"]

_LONG_ENOUGH: Final = 60.0
"""A child that ran for so many seconds is started again as if it were the first time."""
_TO_START: Final = 2.0
"""Seconds that callers are told to allow for a start."""
_log = logging.getLogger("connectory.isolation")


class KeptChild:
    """Calls to a child, whichever process it is at the moment.

    Between two of them every call is refused at once as UNAVAILABLE, with the time when the next one should be there.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        start: Callable[[Plan], Awaitable[Child]] = start_child,
        now: Callable[[], float] = monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.plan = plan
        self.restarts = 0
        """How often it was started again."""
        self._start = start
        self._now = now
        self._pause = pause
        self._child: Child | None = None
        self._next_at = 0.0
        self._why = ""
        self._users = 0
        self._keeping: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        """Whether it takes calls."""
        return self._child is not None

    @property
    def pid(self) -> int | None:
        """The number of its process; None while there is none."""
        return None if self._child is None else self._child.pid

    async def open(self) -> Ready:
        """Start it for the first time; a `ChildError` says why it cannot be."""
        child = await self._start(self.plan)
        assert child.ready is not None
        self._child = child
        self._keeping = asyncio.create_task(self._keep(child, child.ready))
        return child.ready

    def use(self) -> None:
        """One connector more needs it."""
        self._users += 1

    async def release(self) -> None:
        """A connector needs it no more; without any it is ended."""
        self._users -= 1
        if self._users <= 0:
            await self.aclose()

    async def aclose(self) -> None:
        """End it for good."""
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            await asyncio.wait({keeping})
        child, self._child = self._child, None
        self._why = "it was closed"
        if child is not None:
            await child.aclose()

    def log_as_the_server(self) -> None:
        """Have its process log what this one logs; the next one does anyway."""
        if self._child is not None:
            self._child.log_as_the_server()

    async def ask(self, operation: str, request: Any, context: JobContext | None = None) -> Any:
        """One answer of the child; see `Link.ask`."""
        return await self._link().ask(operation, request, context)

    def stream(self, operation: str, request: Any, context: JobContext) -> AsyncIterator[Any]:
        """Many answers of the child; see `Link.stream`."""
        return self._link().stream(operation, request, context)

    def _link(self) -> Link:
        if self._child is None:
            wait = max(self._next_at - self._now(), 0.0) + _TO_START
            raise UnavailableError(
                f"the process of connector {self.plan.name} is being started again: {self._why}",
                reason="CONNECTOR_RESTARTING",
                retry_after=timedelta(seconds=wait),
            )
        return self._child.link

    async def _keep(self, child: Child, first: Ready) -> None:
        failures = 0
        while True:
            began = self._now()
            await child.exited()
            self._child = None
            self._why = await child.ended()
            failures = 0 if self._now() - began > _LONG_ENOUGH else failures
            await child.aclose()
            child, failures = await self._start_again(first, failures)
            self._child = child
            self.restarts += 1
            _log.info("the process of connector %s is there again", self.plan.name, extra={"pid": child.pid})

    async def _start_again(self, first: Ready, failures: int) -> tuple[Child, int]:
        """The next child, and how many have failed in a row by now."""
        while True:
            failures += 1
            delay = backoff(failures)
            self._next_at = self._now() + delay
            facts = {"connector_process": self.plan.name, "delay": delay}
            _log.error("the process of connector %s ended: %s", self.plan.name, self._why, extra=facts)
            await self._pause(delay)
            try:
                child = await self._start(self.plan)
            except ChildError as error:
                self._why = str(error)
                continue
            except Exception as error:
                _log.exception("the process of connector %s cannot be started", self.plan.name)
                self._why = f"the server failed with {type(error).__name__}; its log says why"
                continue
            if child.ready == first:
                return child, failures
            self._why = "it offers something else than when the server started; reload the server"
            await child.aclose()
