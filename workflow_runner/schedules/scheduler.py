"""Starts launch plans when their schedules are due: once per point in time, whoever else does the same."""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from connectory.errors import AlreadyExistsError, ConnectoryError, StoreError
from connectory.v1 import control_pb2, identifiers_pb2
from workflow_runner.schedules.plans import PlanKey, ScheduledPlan, Schedules
from workflow_runner.schedules.timetable import due, timetable_of

__all__ = ["Scheduler", "execution_name"]

Start = Callable[[control_pb2.ExecutionCreateRequest], Awaitable[object]]
"""Starts an execution; an AlreadyExistsError when there is one of that name."""

_LOOK_EVERY: Final = 10.0
_log = logging.getLogger("connectory.runner.schedules")


class Scheduler:
    """Starts what is due, until it is stopped.

    An execution's name follows from its launch plan and the point in time, so that another runner with the same store,
    or this one after a crash, starts nothing twice. After a pause the latest `catch_up` missed points of each schedule
    are started, in order; earlier ones are passed over, and the log says how many.
    """

    def __init__(
        self,
        schedules: Schedules,
        start: Start,
        *,
        clock: Callable[[], float],
        catch_up: int = 10,
        look_every: float = _LOOK_EVERY,
    ) -> None:
        self._schedules = schedules
        self._start = start
        self._clock = clock
        self._catch_up = catch_up
        self._look_every = look_every

    async def run(self) -> None:
        """Go round for ever. What fails for one launch plan, or for a while, is logged and holds nothing else up."""
        while True:
            try:
                wait = await self.look()
            except StoreError as error:
                _log.error("schedules cannot be looked at now: %s", error)
                wait = self._look_every
            except Exception:
                _log.exception("launch plans could not be started")
                wait = self._look_every
            await asyncio.sleep(wait)

    async def look(self) -> float:
        """Start what is due now; answers after how many seconds to look again."""
        wait = self._look_every
        for plan in await self._schedules.plans():
            try:
                coming = await self._deal_with(plan)
            except ConnectoryError as error:
                _log.error("the schedule of launch plan %s cannot be followed: %s", plan.key.name, error)
                continue
            except Exception:
                _log.exception("the schedule of launch plan %s cannot be followed", plan.key.name)
                continue
            if coming is not None:
                wait = min(wait, max((coming - self._now()).total_seconds(), 0.0))
        return wait

    async def _deal_with(self, plan: ScheduledPlan) -> datetime | None:
        timetable = timetable_of(plan.schedule, plan.since)
        if timetable is None:
            return None
        found = due(timetable, plan.after, self._now(), most=self._catch_up)
        if found.skipped:
            _log.warning(
                "launch plan %s: more points in time have passed than are caught up with; the latest %d are started",
                plan.key.name,
                len(found.ticks),
            )
        for tick in found.ticks:
            await self._tick(plan, tick)
            await self._schedules.reach(plan.key, tick)
        return found.next

    async def _tick(self, plan: ScheduledPlan, tick: datetime) -> None:
        try:
            await self._start(_request(plan, tick))
        except AlreadyExistsError:
            return  # started before, or by another runner
        except StoreError:
            raise
        except ConnectoryError as error:
            _log.error("launch plan %s could not be started for %s: %s", plan.key.name, tick.isoformat(), error)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def execution_name(key: PlanKey, tick: datetime) -> str:
    """The name of the execution of a launch plan that was due at this point in time."""
    text = "\n".join((key.project, key.domain, key.name, tick.astimezone(UTC).isoformat()))
    return f"s{hashlib.blake2b(text.encode(), digest_size=9).hexdigest()}"


def _request(plan: ScheduledPlan, tick: datetime) -> control_pb2.ExecutionCreateRequest:
    key = plan.key
    request = control_pb2.ExecutionCreateRequest(project=key.project, domain=key.domain, name=execution_name(key, tick))
    request.spec.launch_plan.CopyFrom(
        identifiers_pb2.Identifier(
            resource_type=identifiers_pb2.LAUNCH_PLAN,
            project=key.project,
            domain=key.domain,
            name=key.name,
            version=plan.version,
        )
    )
    request.spec.metadata.mode = control_pb2.ExecutionMetadata.SCHEDULED
    request.spec.metadata.scheduled_at.FromDatetime(tick)
    if plan.schedule.kickoff_time_input_arg:
        kickoff = request.inputs.literals[plan.schedule.kickoff_time_input_arg]
        kickoff.scalar.primitive.datetime.FromDatetime(tick)
    return request
