"""When deletions may go: no rate and no queue holds them up, but an external system may ask to be left alone, once."""

import asyncio
from datetime import timedelta
from math import inf
from typing import Final

from connectory.connector.limits.gate import LIMIT_REACHED
from connectory.connector.limits.gates import Gates, pause_asked_for
from connectory.connector.registry import Registration
from connectory.errors import RateLimitedError
from connectory.v1 import security_pb2

__all__ = ["DeleteTurns"]

_SOONEST: Final = 0.1
_MANY: Final = 10_000


class DeleteTurns:
    """Has deletions wait for the end of the pause that there is when they are first wanted, and of no later one.

    Whoever makes jobs all the time may be told to wait again and again; jobs are ended all the same.
    """

    def __init__(self, gates: Gates) -> None:
        self._gates = gates
        self._until: dict[bytes, float] = {}
        """Until when deletions wait that were not confirmed yet, by the job's handle."""

    async def enter(
        self,
        registration: Registration,
        handle: bytes,
        connection: security_pb2.Connection | None,
        *,
        patiently: bool = False,
    ) -> None:
        """Return when the job may be deleted.

        A deletion that would wait longer than calls of the connector may is a `RateLimitedError` that tells when to
        come again, unless it waits `patiently`.
        """
        left = self.left(registration, handle, connection)
        if left <= 0:
            return
        gates = self._gates.known(registration)
        most = inf if patiently or gates is None else gates.limits.wait
        if left > most:
            if gates is not None:
                gates.deletes.refused += 1
            raise RateLimitedError(
                f"connector {registration.name} is not called, because the external system asked to be left alone for"
                " some time; the job is deleted then",
                reason=LIMIT_REACHED,
                retry_after=timedelta(seconds=max(left, _SOONEST)),
            )
        await self._pass(registration, left)

    def failed(self, handle: bytes, error: BaseException) -> None:
        """The external system was asked to end the job, and may have said when to come again."""
        if (seconds := pause_asked_for(error)) is not None:
            self._wait(handle, seconds)

    def over(self, handle: bytes) -> None:
        """The job is deleted, or nobody tries that any more."""
        self._until.pop(handle, None)

    def left(self, registration: Registration, handle: bytes, connection: security_pb2.Connection | None) -> float:
        """For how many seconds the deletion of a job has to wait; 0 or less: it may go."""
        until = self._until.get(handle)
        if until is not None:
            return until - self._gates.timers.time()
        pause = self._gates.pause(registration, connection)
        if pause > 0:
            self._wait(handle, pause)
        return pause

    def _wait(self, handle: bytes, seconds: float) -> None:
        now = self._gates.timers.time()
        if len(self._until) >= _MANY:  # those whose time has come and whose deletion nobody tried again
            self._until = {one: until for one, until in self._until.items() if until > now}
        self._until[handle] = now + seconds

    async def _pass(self, registration: Registration, seconds: float) -> None:
        timers, gates = self._gates.timers, self._gates.known(registration)
        over = asyncio.Event()
        alarm = timers.call_later(seconds, over.set)
        began = timers.time()
        if gates is not None:
            gates.deletes.waiting += 1
        try:
            await over.wait()
        finally:
            alarm.cancel()
            if gates is not None:
                gates.deletes.waited(timers.time() - began)
