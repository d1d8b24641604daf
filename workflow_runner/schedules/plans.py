"""Which launch plans have a schedule, and how far each has come: in the database of the runner's store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from connectory.database.contract import Database, Schema
from connectory.database.statements import load_statements
from connectory.v1 import identifiers_pb2, launch_plan_pb2

__all__ = ["PlanKey", "ScheduledPlan", "Schedules"]

_SCHEMA = Schema(name="schedules", package="workflow_runner.schedules.migrations")


@dataclass(frozen=True, slots=True)
class PlanKey:
    """A launch plan, whichever version of it counts."""

    project: str
    domain: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduledPlan:
    """The version of a launch plan that counts, and that has a schedule."""

    key: PlanKey
    version: str
    schedule: launch_plan_pb2.Schedule
    since: datetime
    """When it became the one that counts."""
    reached: datetime | None
    """The latest point in time that was dealt with, by whichever version; None: none yet."""

    @property
    def after(self) -> datetime:
        """Points up to this one are of no concern any more."""
        return self.since if self.reached is None else max(self.since, self.reached)


class Schedules:
    """Reads launch plans where the control API keeps them, and keeps how far each schedule has come."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_statements("workflow_runner.schedules", database.dialect)

    async def open(self) -> None:
        """Bring the tables up to date; the store must be open, and those of the control API there."""
        await self._database.migrate(_SCHEMA)

    async def plans(self) -> Sequence[ScheduledPlan]:
        """Every active launch plan with a schedule."""
        kind = int(identifiers_pb2.LAUNCH_PLAN)
        rows = await self._database.rows(self._sql["scheduled_plans"], kind=kind)
        plans = []
        for project, domain, name, version, body, since, reached in rows:
            schedule = launch_plan_pb2.LaunchPlan.FromString(body).spec.entity_metadata.schedule
            if schedule.WhichOneof("schedule_expression") is None:
                continue
            plans.append(
                ScheduledPlan(
                    key=PlanKey(project, domain, name),
                    version=version,
                    schedule=schedule,
                    since=datetime.fromtimestamp(since, UTC),
                    reached=None if reached is None else datetime.fromtimestamp(reached, UTC),
                )
            )
        return plans

    async def reach(self, key: PlanKey, tick: datetime) -> None:
        """Everything up to this point has been dealt with. It never goes back."""
        values = {"project": key.project, "domain": key.domain, "name": key.name, "reached": tick.timestamp()}
        await self._database.change(self._sql["reach"], **values)
