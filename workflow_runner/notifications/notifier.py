"""Tells people about executions that have ended: each message once, unless a runner dies right after it has sent it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from connectory.database.contract import Database, Row, Schema
from connectory.database.statements import load_statements
from connectory.errors import ConnectoryError, StoreError
from connectory.v1 import control_pb2, identifiers_pb2, launch_plan_pb2
from workflow_runner.notifications.messages import Ended, Notice, NotSentError, Send, notices_of

__all__ = ["Notifier"]

FindPlan = Callable[[identifiers_pb2.Identifier], Awaitable[launch_plan_pb2.LaunchPlan | None]]

_SCHEMA = Schema(name="notifications", package="workflow_runner.notifications.migrations")
_LOOK_EVERY: Final = 5.0
_BACK: Final = 86_400.0
"""How many seconds after an execution's end its messages are given up."""
_HOLD: Final = 300.0
"""How many seconds one runner has for each message of an execution."""
_MOST: Final = 100
_AT_ONCE: Final = 8
"""How many executions are told of side by side, so that one that is slow to tell holds few others up."""
_log = logging.getLogger("connectory.runner.notifications")


class Notifier:
    """Looks for executions that have ended, in the tables of the store and the control API."""

    def __init__(self, database: Database, send: Send, find_plan: FindPlan, *, look_every: float = _LOOK_EVERY) -> None:
        self._database = database
        self._sql = load_statements("workflow_runner.notifications", database.dialect)
        self._send = send
        self._find_plan = find_plan
        self._look_every = look_every

    async def open(self) -> None:
        """Bring the tables up to date; the store must be open, and those of the control API there."""
        await self._database.migrate(_SCHEMA)

    async def run(self) -> None:
        """Go round for ever. What fails is logged, and tried again for a day."""
        while True:
            more = False
            try:
                more = await self.look()
            except StoreError as error:
                _log.error("ended executions cannot be looked for now: %s", error)
            except Exception:
                _log.exception("people could not be told about executions that have ended")
            await asyncio.sleep(0 if more else self._look_every)

    async def look(self) -> bool:
        """Send what is to be sent now, or a part of it; whether there may be more.

        What fails for one execution is raised once the others have been dealt with.
        """
        rows = await self._database.rows(self._sql["ended"], back=_BACK, most=_MOST)
        places = asyncio.Semaphore(_AT_ONCE)
        outcomes = await asyncio.gather(*(self._deal_with(row, places) for row in rows), return_exceptions=True)
        failed = [outcome for outcome in outcomes if outcome is not None]
        if failed:
            raise failed[0]
        return len(rows) == _MOST

    async def _deal_with(self, row: Row, places: asyncio.Semaphore) -> None:
        async with places:
            if await self._database.change(self._sql["claim"], id=row[0], hold=_HOLD):
                await self._tell(row)

    async def _tell(self, row: Row) -> None:
        ended, request, sent = _ended(row), control_pb2.ExecutionCreateRequest.FromString(row[4]), int(row[11])
        notices = await self._notices(ended, request)
        for number, notice in enumerate(notices[sent:], sent + 1):
            try:
                await self._send(notice)
            except NotSentError as error:
                if not error.lasting:
                    await self._put_off(ended, error)
                    return
                _log.error("execution %s: a message is given up: %s", ended.name, error)
            await self._database.change(self._sql["sent"], id=ended.id, sent=number, hold=_HOLD)
        await self._database.change(self._sql["settle"], id=ended.id)

    async def _put_off(self, ended: Ended, error: NotSentError) -> None:
        ((tries,),) = await self._database.rows(self._sql["tries"], id=ended.id)
        seconds = min(10.0 * 2 ** min(int(tries), 10), 3600.0)
        _log.warning("execution %s: a message could not be sent, again in %.0f s: %s", ended.name, seconds, error)
        await self._database.change(self._sql["put_off"], id=ended.id, seconds=seconds)

    async def _notices(self, ended: Ended, request: control_pb2.ExecutionCreateRequest) -> Sequence[Notice]:
        try:
            plan = await self._find_plan(request.spec.launch_plan)
        except StoreError:
            raise
        except ConnectoryError:
            plan = None
        of_plan = () if plan is None else plan.spec.entity_metadata.notifications
        return notices_of(ended, request.spec, of_plan)


def _ended(row: Row) -> Ended:
    return Ended(
        id=row[0],
        project=row[1],
        domain=row[2],
        name=row[3],
        workflow=row[5],
        launch_plan=row[6],
        phase=row[7],
        error=row[8],
        started_at=row[9],
        ended_at=row[10],
    )
