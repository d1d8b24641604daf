"""Launch plans start by themselves: once for each point in time, whoever else looks, and whatever happened before."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectory.errors import InvalidTaskError, StoreError, UserError
from connectory.v1 import control_pb2, execution_pb2, launch_plan_pb2, types_pb2, workflow_pb2
from tests.workflow_runner.control.flows import diamond
from tests.workflow_runner.control.harness import Control, plan_of, register, serving
from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.workflows import closure, integer, workflow
from workflow_runner.schedules.plans import PlanKey, Schedules
from workflow_runner.schedules.scheduler import Scheduler

MINUTE = 60.0


class Clock:
    """A clock that stands still until it is moved, a little after everything that a test registers."""

    def __init__(self) -> None:
        self.now = time.time() + 30

    def __call__(self) -> float:
        return self.now


async def scheduler(control: Control, clock: Callable[[], float], catch_up: int = 10) -> Scheduler:
    schedules = Schedules(control.runner.store.database)
    await schedules.open()
    return Scheduler(schedules, control.client.create_execution, clock=clock, catch_up=catch_up)


async def scheduled(
    control: Control, *, every: int = 1, kickoff: str = "", version: str = "1", active: bool = True
) -> launch_plan_pb2.LaunchPlan:
    """A launch plan that is due every so many minutes, of a workflow that takes a time when `kickoff` names it."""
    made = timed(version) if kickoff else diamond(version=version)
    plan = plan_of(made)
    if not kickoff:
        plan.spec.fixed_inputs.literals["a"].CopyFrom(integer(1))
    plan.spec.entity_metadata.schedule.rate.value = every
    plan.spec.entity_metadata.schedule.kickoff_time_input_arg = kickoff
    plan.closure.state = launch_plan_pb2.ACTIVE if active else launch_plan_pb2.INACTIVE
    await register(control.client, [made], [plan])
    return plan


def timed(version: str) -> workflow_pb2.CompiledWorkflowClosure:
    made = closure(
        workflow("timed", [], inputs={"at": types_pb2.LiteralType(simple=types_pb2.DATETIME)}, outputs={}), []
    )
    made.primary.template.id.version = version
    return made


async def started(control: Control) -> list[control_pb2.Execution]:
    request = control_pb2.ResourceListRequest(
        id=launch_plan_pb2.NamedEntityIdentifier(project="p", domain="d"),
        limit=100,
        sort_by=launch_plan_pb2.Sort(key="created_at", direction=launch_plan_pb2.Sort.ASCENDING),
    )
    return list((await control.client.list_executions(request)).executions)


async def test_a_plan_starts_when_it_is_due_and_not_before() -> None:
    clock = Clock()
    async with serving() as control:
        await scheduled(control)
        looking = await scheduler(control, clock)
        wait = await looking.look()
        assert 0 < wait <= MINUTE
        assert not await started(control)
        clock.now += MINUTE
        await looking.look()
        await looking.look()
        (execution,) = await started(control)
        assert execution.spec.metadata.mode == control_pb2.ExecutionMetadata.SCHEDULED
        assert execution.spec.metadata.scheduled_at.ToSeconds() <= clock.now
        ended = await control.ended(execution.id)
        assert ended.closure.phase == execution_pb2.WorkflowExecution.SUCCEEDED


async def test_the_time_for_which_it_is_due_is_given_as_an_input() -> None:
    clock = Clock()
    async with serving() as control:
        await scheduled(control, kickoff="at")
        looking = await scheduler(control, clock)
        clock.now += 2 * MINUTE
        await looking.look()
        times = []
        for execution in await started(control):
            request = control_pb2.WorkflowExecutionGetDataRequest(id=execution.id)
            inputs = (await control.client.get_execution_data(request)).full_inputs
            times.append(inputs.literals["at"].scalar.primitive.datetime)
            assert inputs.literals["at"].scalar.primitive.datetime == execution.spec.metadata.scheduled_at
        first, second = (moment.ToDatetime(UTC) for moment in times)
        assert second - first == timedelta(minutes=1)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path / 'store.db'}"


async def test_two_runners_start_each_point_once(store: str) -> None:
    clock = Clock()
    async with serving(store) as one, serving(store) as other:
        await scheduled(one)
        lookers = [await scheduler(one, clock), await scheduler(other, clock), await scheduler(other, clock)]
        for _ in range(3):
            clock.now += MINUTE
            await asyncio.gather(*(each.look() for each in lookers))
        assert len(await started(one)) == 3


async def test_after_a_pause_the_latest_points_are_caught_up_with(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    store = f"sqlite:///{tmp_path / 'store.db'}"
    async with serving(store) as control:
        await scheduled(control)
        clock.now += MINUTE
        await (await scheduler(control, clock)).look()
        assert len(await started(control)) == 1
    clock.now += 60 * MINUTE
    async with serving(store) as control:
        looking = await scheduler(control, clock, catch_up=3)
        await looking.look()
        times = [one.spec.metadata.scheduled_at.ToSeconds() for one in await started(control)]
        assert len(times) == 4
        assert times[-1] > clock.now - MINUTE
        assert "more points in time have passed" in caplog.text
        await looking.look()
        assert len(await started(control)) == 4


async def test_a_runner_that_is_killed_before_it_wrote_down_what_it_started_starts_nothing_twice(store: str) -> None:
    clock = Clock()

    class Killed(Schedules):
        async def reach(self, key: PlanKey, tick: datetime) -> None:
            raise StoreError(f"killed before {tick} of {key.name} was written down")

    async with serving(store) as control:
        await scheduled(control)
        await (await scheduler(control, clock)).look()
        clock.now += 2 * MINUTE
        killed = Scheduler(Killed(control.runner.store.database), control.client.create_execution, clock=clock)
        await killed.look()
        assert len(await started(control)) == 1
    async with serving(store) as control:
        await (await scheduler(control, clock)).look()
        times = [one.spec.metadata.scheduled_at.ToSeconds() for one in await started(control)]
        assert len(times) == 2
        assert times[1] - times[0] == MINUTE


async def test_a_clock_that_is_set_back_starts_nothing_twice() -> None:
    clock = Clock()
    async with serving() as control:
        await scheduled(control)
        looking = await scheduler(control, clock)
        clock.now += 3 * MINUTE
        await looking.look()
        clock.now -= 2 * MINUTE
        await looking.look()
        clock.now += 2 * MINUTE
        await looking.look()
        assert len(await started(control)) == 3


async def test_only_the_active_version_counts_and_from_when_it_became_so() -> None:
    clock = Clock()
    async with serving() as control:
        first = await scheduled(control, every=1)
        await scheduled(control, every=1, version="2", active=False)
        looking = await scheduler(control, clock)
        clock.now += MINUTE
        await looking.look()
        assert [one.spec.launch_plan.version for one in await started(control)] == ["1"]
        request = launch_plan_pb2.LaunchPlanUpdateRequest(id=first.id, state=launch_plan_pb2.INACTIVE)
        await control.client.update_launch_plan(request)
        clock.now += MINUTE
        await looking.look()
        assert len(await started(control)) == 1


async def test_registering_it_again_puts_nothing_off(store: str) -> None:
    clock = Clock()
    async with serving(store, clock=clock) as control:
        await scheduled(control, every=3)
        looking = await scheduler(control, clock)
        for _ in range(6):
            clock.now += MINUTE
            await scheduled(control, every=3)
            await looking.look()
        first, second = (one.spec.metadata.scheduled_at.ToSeconds() for one in await started(control))
        assert second - first == 3 * MINUTE


async def test_a_plan_that_cannot_start_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    async with serving() as control:
        broken = plan_of(diamond("broken"))  # its input `a` is given by nobody
        broken.spec.entity_metadata.schedule.rate.value = 1
        broken.closure.state = launch_plan_pb2.ACTIVE
        await register(control.client, [diamond("broken")], [broken])
        await scheduled(control)
        looking = await scheduler(control, clock)
        clock.now += MINUTE
        await looking.look()
        assert [one.spec.launch_plan.name for one in await started(control)] == ["diamond"]
        assert "launch plan broken could not be started" in caplog.text
        caplog.clear()
        await looking.look()
        assert not caplog.records


async def test_a_plan_that_nobody_can_follow_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    async with serving() as control:
        await scheduled(control)
        schedules = Schedules(control.runner.store.database)
        await schedules.open()

        async def start(request: control_pb2.ExecutionCreateRequest) -> object:
            if request.spec.launch_plan.name == "another":
                raise OverflowError("date value out of range")
            return await control.client.create_execution(request)

        broken = plan_of(diamond("another"))  # it comes first
        broken.spec.entity_metadata.schedule.rate.value = 1
        broken.closure.state = launch_plan_pb2.ACTIVE
        await register(control.client, [diamond("another")], [broken])
        clock.now += MINUTE
        await Scheduler(schedules, start, clock=clock).look()
        assert [one.spec.launch_plan.name for one in await started(control)] == ["diamond"]
        assert "the schedule of launch plan another cannot be followed" in caplog.text


async def test_a_plan_that_allows_one_at_once_is_started_again_when_that_one_has_ended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, plugin = Clock(), FakePlugin({"top": ["hold"]})
    async with serving(plugin=plugin) as control:
        plan = plan_of(diamond())
        plan.spec.fixed_inputs.literals["a"].CopyFrom(integer(1))
        plan.spec.entity_metadata.schedule.rate.value = 1
        plan.spec.concurrency_policy.max = 1
        plan.closure.state = launch_plan_pb2.ACTIVE
        await register(control.client, [diamond()], [plan])
        looking = await scheduler(control, clock)
        for _ in range(2):
            clock.now += MINUTE
            await looking.look()
        (execution,) = await started(control)
        assert "has 1 executions that have not ended" in caplog.text
        with pytest.raises(UserError, match="allows no more at once"):
            await control.start(plan.id)
        plugin.release("top")
        await control.ended(execution.id)
        clock.now += MINUTE
        await looking.look()
        assert len(await started(control)) == 2


async def test_what_is_no_schedule_cannot_be_registered() -> None:
    async with serving() as control:
        plan = plan_of(diamond())
        plan.spec.entity_metadata.schedule.cron_expression = "0 10 * * ? *"
        with pytest.raises(InvalidTaskError, match=r"schedule\.cron_expression: .*five fields"):
            await register(control.client, [diamond()], [plan])


@pytest.mark.parametrize(
    ("kickoff", "said"), [("b", "no input that is left to give; these are: 'a'"), ("a", "no time")]
)
async def test_a_time_that_no_input_can_take_cannot_be_given(kickoff: str, said: str) -> None:
    async with serving() as control:
        plan = plan_of(diamond())
        plan.spec.entity_metadata.schedule.rate.value = 1
        plan.spec.entity_metadata.schedule.kickoff_time_input_arg = kickoff
        with pytest.raises(InvalidTaskError, match=f"kickoff_time_input_arg names '{kickoff}', which .*{said}"):
            await register(control.client, [diamond()], [plan])


async def test_a_server_starts_what_is_due_by_itself(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'store.db'}"
    async with serving(store) as control:
        await scheduled(control)
    clock = Clock()
    clock.now += MINUTE
    plugin = FakePlugin({"top": ["hold"]})
    async with serving(store, plugin, clock) as control:
        await plugin.holding.wait()
        (execution,) = await started(control)
        plugin.release("top")
        ended = await control.ended(execution.id)
        assert ended.closure.phase == execution_pb2.WorkflowExecution.SUCCEEDED
