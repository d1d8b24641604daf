"""Single decisions of the engine, told as: given, when, then."""

from datetime import timedelta

import pytest

from connectory.v1 import tasks_pb2, workflow_pb2
from connectory.v1.execution_pb2 import TaskExecution
from tests.workflow_runner.engine.world import World
from tests.workflow_runner.workflows import closure, node, task, workflow
from workflow_runner.engine.commands import SetTimer, StartAttempt, StopAttempt
from workflow_runner.engine.events import JobsHandedOver
from workflow_runner.engine.settings import Backoff, ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase, NodePhase


def single(template: tasks_pb2.TaskTemplate, settings: ExecutionSettings | None = None) -> World:
    return World(closure(workflow("w", [node("n", template)]), [template]), settings=settings)


def waits(world: World, failures: int, **facts: object) -> list[float]:
    """Fail so often; how long the engine waits each time."""
    found = []
    for attempt in range(failures):
        commands = world.fail("n", recoverable=True, **facts)
        (timer,) = [command for command in commands if isinstance(command, SetTimer)]
        found.append(timer.after)
        world.ring("retry", "n", attempt + 1)
    return found


def test_back_off_grows_within_its_jitter_and_stops_at_its_cap() -> None:
    template = task("t", retries=8, base=1.0)
    template.metadata.retries.backoff.cap.FromTimedelta(timedelta(seconds=20))
    seen = waits(single(template), 8)
    full = [1, 2, 4, 8, 16, 20, 20, 20]
    assert all(limit / 2 <= wait <= limit for wait, limit in zip(seen, full, strict=True))
    assert seen == waits(single(template), 8), "the same attempt always waits for the same time"


def test_what_asks_to_be_left_alone_is_left_alone() -> None:
    assert waits(single(task("t", retries=1)), 1, retry_after=33.0) == [33.0]


def test_each_kind_of_failure_has_its_own_budget() -> None:
    limits = ExecutionSettings(system_retries=2, interruption_retries=3, backoff=Backoff(base=0))
    world = single(task("t", retries=1), limits)
    for kind, times in (("system", 2), ("interrupted", 3), ("user", 1)):
        waits_before = len(world.started)
        for _ in range(times):
            world.fail("n", recoverable=True, kind=kind)
            world.ring("retry", "n", world.state.nodes["n"].attempt)
        assert len(world.started) == waits_before + times
    world.fail("n", recoverable=True, kind="system")
    assert world.phase("n") is NodePhase.FAILED
    assert world.state.nodes["n"].attempt == 6


def test_what_cannot_succeed_is_not_repeated() -> None:
    world = single(task("t", retries=5))
    world.fail("n", recoverable=False)
    assert world.state.phase is ExecutionPhase.FAILED


def test_the_nodes_word_on_retries_counts_before_the_tasks() -> None:
    template = task("t", retries=5)
    made = node("n", template)
    made.metadata.retries.retries = 0
    world = World(closure(workflow("w", [made]), [template]))
    world.fail("n", recoverable=True)
    assert world.phase("n") is NodePhase.FAILED


def test_a_job_that_may_still_run_is_stopped_before_anything_else_happens() -> None:
    world = single(task("t", retries=1))
    (stop,) = world.fail("n", live=True, recoverable=True)
    assert isinstance(stop, StopAttempt)
    assert world.phase("n") is NodePhase.STOPPING
    world.stopped("n")
    assert world.phase("n") is NodePhase.RETRYING


def test_an_attempt_that_cannot_be_confirmed_gone_is_not_repeated() -> None:
    world = single(task("t", retries=5, timeout=10))
    world.ring("attempt", "n", 0)
    world.stopped("n", unconfirmed="the outside does not know it")
    assert world.state.phase is ExecutionPhase.FAILED
    assert world.state.failure is not None
    assert "may still run: the outside does not know it" in world.state.failure.message


def test_a_result_that_comes_while_the_attempt_is_stopped_does_not_count() -> None:
    world = single(task("t", timeout=10))
    world.ring("attempt", "n", 0)
    assert world.succeed("n") == []
    world.stopped("n")
    assert world.phase("n") is NodePhase.TIMED_OUT


def test_a_timer_of_an_earlier_attempt_changes_nothing() -> None:
    world = single(task("t", retries=1, timeout=10))
    world.fail("n", recoverable=True)
    world.ring("retry", "n", 1)
    assert world.ring("attempt", "n", 0) == []
    assert world.phase("n") is NodePhase.RUNNING


def test_the_total_time_ends_a_wait_for_the_next_attempt() -> None:
    world = single(task("t", retries=5, deadline=100))
    world.fail("n", recoverable=True)
    world.ring("total", "n", 0)
    assert world.phase("n") is NodePhase.TIMED_OUT
    assert world.state.phase is ExecutionPhase.FAILED


def test_an_abort_ends_what_waits_at_once_and_what_runs_once_it_is_gone() -> None:
    template = task("t", retries=1)
    nodes = [node("a", template), node("b", template), node("c", template, after=["a"])]
    world = World(closure(workflow("w", nodes), [template]))
    world.fail("b", recoverable=True)
    (stop,) = world.abort("too late")
    assert isinstance(stop, StopAttempt)
    assert (stop.node, stop.cause) == ("a", "too late")
    assert [world.phase(name) for name in "abc"] == [NodePhase.STOPPING, NodePhase.ABORTED, NodePhase.SKIPPED]
    assert world.state.phase is ExecutionPhase.ABORTING
    world.stopped("a")
    assert world.state.phase is ExecutionPhase.ABORTED
    world.check()


@pytest.mark.parametrize("inner_patient", [True, False])
def test_a_failure_inside_a_sub_workflow_fails_its_node_by_both_policies(inner_patient: bool) -> None:
    template = task("t")
    inner = workflow("inner", [node("x", template), node("y", template)], fail_at_once=not inner_patient)
    outer = workflow("outer", [node("s", inner), node("z", template)], fail_at_once=False)
    world = World(closure(outer, [template], [inner]))
    world.fail("s.x")
    if inner_patient:
        assert world.phase("s") is NodePhase.RUNNING
        world.succeed("s.y")
    else:
        assert world.phase("s.y") is NodePhase.STOPPING
        world.stopped("s.y")
    assert world.phase("s") is NodePhase.FAILED
    assert world.state.phase is ExecutionPhase.FAILING
    world.succeed("z")
    assert world.state.phase is ExecutionPhase.FAILED
    assert world.state.failure is not None
    assert world.state.failure.node == "s.x"
    world.check()


def test_a_workflow_without_nodes_is_done_at_once_and_many_of_them_are_no_problem() -> None:
    empty = workflow("empty", [])
    chain = [node(f"n{i}", empty, after=[f"n{i - 1}"] if i else []) for i in range(3000)]
    world = World(
        workflow_pb2.CompiledWorkflowClosure.FromString(closure(workflow("w", chain), [], [empty]).SerializeToString())
    )
    assert world.state.phase is ExecutionPhase.SUCCEEDED


def test_places_are_given_in_the_order_of_readiness() -> None:
    template = task("t", retries=1)
    world = World(
        closure(workflow("w", [node(name, template) for name in "abcd"]), [template]),
        settings=ExecutionSettings(max_parallelism=2),
    )
    assert [key.split("/")[1] for key in world.started] == ["a", "b"]
    (timer, start) = world.fail("a", recoverable=True)
    assert isinstance(timer, SetTimer)
    assert isinstance(start, StartAttempt)
    assert start.node == "c"
    world.ring("retry", "a", 1)
    world.succeed("b")
    world.succeed("c")
    assert [key.split("/")[1] for key in world.started] == ["a", "b", "c", "d", "a"]


def test_an_attempt_that_was_to_be_repeated_is_not_once_its_workflow_ends() -> None:
    template = task("t", retries=1)
    world = World(closure(workflow("w", [node("a", template), node("b", template)]), [template]))
    world.fail("a", live=True, recoverable=True)
    world.fail("b")
    world.stopped("a")
    assert world.phase("a") is NodePhase.ABORTED
    assert world.state.phase is ExecutionPhase.FAILED
    world.check()


def queueing(retries: int = 0) -> World:
    template = task("t", queued=10, retries=retries)
    return World(
        closure(workflow("w", [node("n", template), node("m", template)]), [template]),
        settings=ExecutionSettings(max_parallelism=1),
    )


def test_what_finds_no_place_in_time_times_out() -> None:
    world = queueing(retries=3)
    world.ring("queue", "m", 0)
    world.check()
    failure = world.state.nodes["m"].failure
    assert world.phase("m") is NodePhase.TIMED_OUT
    assert failure is not None
    assert (failure.code, failure.message) == ("QUEUED_TOO_LONG", "attempt 0 did not begin to run within 10 s")
    assert world.state.queue == ()


def test_a_job_that_does_not_begin_to_run_in_time_is_ended_and_tried_again() -> None:
    world = single(task("t", queued=10, retries=1, base=0))
    world.progress("n", TaskExecution.QUEUED)
    commands = world.ring("queue", "n", 0)
    assert [type(command) for command in commands] == [StopAttempt]
    world.stopped("n")
    world.ring("retry", "n", 1)
    world.check()
    assert world.phase("n") is NodePhase.RUNNING
    world.progress("n", TaskExecution.RUNNING)
    assert world.ring("queue", "n", 1) == []
    world.check()


def test_an_attempt_that_is_another_one_by_now_is_not_handed_over() -> None:
    world = single(task("t", retries=1))
    key = world.state.key_of(world.state.nodes["n"])
    world.fail("n", recoverable=True)
    world.ring("retry", "n", 1)
    (stop,) = world.happen(JobsHandedOver(at=world.tick(), to="y", nodes=("n",), keys=(key,)))
    assert isinstance(stop, StopAttempt)
    world.stopped("n")
    assert world.state.phase is ExecutionPhase.ABORTED


def test_what_is_being_ended_is_not_handed_over() -> None:
    world = single(task("t"))
    key = world.state.key_of(world.state.nodes["n"])
    world.fail("n", live=True)
    world.happen(JobsHandedOver(at=world.tick(), to="y", nodes=("n",), keys=(key,)))
    assert world.phase("n") is NodePhase.STOPPING
    world.stopped("n")
    assert world.state.phase is ExecutionPhase.ABORTED
