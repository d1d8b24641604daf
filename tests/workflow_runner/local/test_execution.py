"""Workflows that are called in plain Python: what runs where, at what time, and what comes out."""

import asyncio
import contextvars
import os
import subprocess
import sys
import threading
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import cloudpickle
import pytest

from connectory.authoring import (
    LaunchPlan,
    conditional,
    dynamic,
    map_task,
    plain_calls,
    reference_task,
    task,
    wait_for_input,
    workflow,
)
from connectory.authoring.calling import native_result, to_literals
from connectory.authoring.context import current_context
from connectory.authoring.entity import Entity
from connectory.authoring.errors import TaskFailedError
from connectory.errors import AuthoringError, ExecutionError
from workflow_runner.local.engine import LocalEngine

T = TypeVar("T")
THREADS: list[threading.Thread] = []
WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


class LeapingClock:
    """Where others wait, the time has come at once."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.time

    def wait(self, inbox: "SimpleQueue[T]", seconds: float | None) -> T | None:
        try:
            return inbox.get(timeout=0 if seconds is not None else 30)
        except Empty:
            assert seconds is not None, "nothing happens any more"
        self.waits.append(round(seconds, 3))
        self.time += seconds
        return None


def run(entity: Entity, clock: LeapingClock, **inputs: Any) -> Any:
    return native_result(entity, LocalEngine(clock).run(entity, to_literals(entity, (), inputs)))


@task
def noted(a: int) -> int:
    THREADS.append(threading.current_thread())
    return a + 1


@workflow
def one_by_one(a: int) -> int:
    return noted(a=noted(a=noted(a=a)))


@pytest.fixture(autouse=True)
def _forget() -> None:
    THREADS.clear()


def test_what_is_alone_runs_in_the_calling_thread() -> None:
    assert one_by_one(a=1) == 4
    assert set(THREADS) == {threading.current_thread()}


MEETING = threading.Barrier(2)


@task
def met(a: int) -> str:
    MEETING.wait(timeout=30)
    return f"{WHO.get()} {a}"


@workflow
def beside_each_other() -> tuple[str, str]:
    return met(a=1), met(a=2)


def test_what_waits_for_nothing_runs_beside_each_other_and_knows_the_callers_context() -> None:
    token = WHO.set("somebody")
    try:
        assert tuple(beside_each_other()) == ("somebody 1", "somebody 2")
    finally:
        WHO.reset(token)


@workflow
def both() -> tuple[int, int]:
    return noted(a=1), noted(a=5)


def test_one_at_a_time_is_in_the_calling_thread() -> None:
    with plain_calls(max_parallelism=1):
        assert tuple(both()) == (2, 6)
    assert set(THREADS) == {threading.current_thread()}


def test_a_launch_plan_says_how_many_at_once() -> None:
    plan = LaunchPlan.create("one_at_a_time", both, max_parallelism=1)
    assert tuple(plan()) == (2, 6)
    assert set(THREADS) == {threading.current_thread()}


@pytest.mark.parametrize("settings", [{"max_parallelism": -1}, {"retry_wait": "soon"}, {"max_parallelism": True}])
def test_settings_that_mean_nothing(settings: dict[str, Any]) -> None:
    with pytest.raises(AuthoringError, match=rf"{next(iter(settings))} of plain_calls is"), plain_calls(**settings):
        pass


class MyError(Exception):
    pass


@task(retries=3)
def never(a: int) -> int:
    raise MyError(current_context().attempt)


@workflow
def hopeless(a: int) -> int:
    return never(a=noted(a=a))


def test_the_last_exception_comes_out_as_it_is_after_the_waits_of_the_runner() -> None:
    clock = LeapingClock()
    with pytest.raises(MyError) as caught:
        run(hopeless, clock, a=1)
    assert caught.value.args == (3,)
    assert caught.value.__notes__ == [f"raised in node 'n1' of workflow '{hopeless.name}'"]
    assert [1 <= wait / 2**n <= 2 for n, wait in enumerate(clock.waits, -1)] == [True] * 3


def test_waits_can_be_left_out() -> None:
    with pytest.raises(MyError), plain_calls(retry_wait=0):
        hopeless(a=1)


RELEASED = threading.Event()


@task(timeout=timedelta(milliseconds=100))
def too_long() -> int:
    RELEASED.wait(timeout=30)
    return 1


@workflow
def limited() -> int:
    return noted(a=too_long())


def test_a_call_fails_at_its_timeout_though_the_code_goes_on() -> None:
    RELEASED.clear()
    with pytest.raises(TaskFailedError, match=r"attempt 0 did not end within 0\.1 s") as caught:
        limited()
    assert caught.value.code == "TIMED_OUT"
    assert THREADS == []
    RELEASED.set()


CANCELLED: list[str] = []


@task(timeout=timedelta(milliseconds=100), retries=1)
async def awaits() -> int:
    if current_context().attempt:
        return 7
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        CANCELLED.append("cancelled")
        raise
    return 0


@workflow
def awaited() -> int:
    return awaits()


def test_async_code_is_cancelled_at_its_timeout_and_tried_again() -> None:
    CANCELLED.clear()
    with plain_calls(retry_wait=0):
        assert awaited() == 7
    assert CANCELLED == ["cancelled"]


async def test_a_workflow_is_called_where_a_loop_runs() -> None:
    with plain_calls(retry_wait=0):
        assert awaited() == 7


def make(number: int) -> Any:
    @task
    def made(a: int) -> int:
        return a + number

    return made


def test_tasks_of_one_name_are_told_apart() -> None:
    first, second = make(10), make(200)

    @workflow
    def flow(a: int) -> int:
        return second(a=first(a=a))

    @dynamic
    def at_run_time(a: int) -> int:
        return make(3000)(a=flow(a=a))

    assert flow(a=1) == 211
    assert at_run_time(a=1) == 3211


@reference_task(project="p", domain="d", name="elsewhere", version="1")
def elsewhere(a: int) -> int: ...


@workflow
def perhaps(a: int) -> int:
    return conditional("where").if_(a > 5).then(elsewhere(a=a)).else_().then(noted(a=a))


def test_a_reference_is_refused_when_it_is_reached() -> None:
    assert perhaps(a=1) == 2
    with pytest.raises(AuthoringError, match="cannot be run here"):
        perhaps(a=6)


@task
def leaves() -> int:
    raise SystemExit(3)


@workflow
def ended() -> tuple[int, int]:
    return leaves(), noted(a=1)


def test_what_ends_a_program_ends_the_call() -> None:
    with pytest.raises(SystemExit):
        ended()


CALLS: list[int] = []


@task(cache=True, cache_version="1", cache_serialize=True)
def worked_out(a: int) -> int:
    CALLS.append(a)
    return a


@workflow
def all_at_once() -> list[int]:
    return [worked_out(a=77), worked_out(a=77), worked_out(a=77)]


def test_equal_calls_wait_for_the_first_one() -> None:
    CALLS.clear()
    assert all_at_once() == [77, 77, 77]
    assert CALLS == [77]


@task(cache=True, cache_version="1", cache_serialize=True)
def fails_first(a: int) -> int:
    CALLS.append(a)
    if len(CALLS) == 1:
        raise MyError("not yet")
    return a


@workflow
def some_fail(values: list[int]) -> list[int | None]:
    return map_task(fails_first, min_success_ratio=0.3)(a=values)


def test_when_the_first_one_fails_the_next_one_does_the_work() -> None:
    CALLS.clear()
    assert some_fail(values=[5, 5, 5]) == [None, 5, 5]
    assert CALLS == [5, 5]


def test_overwritten() -> None:
    @task(cache=True, cache_version="1")
    def kept(a: int) -> int:
        CALLS.append(a)
        return a

    @workflow
    def flow(a: int) -> int:
        return kept(a=a)

    CALLS.clear()
    anew = LaunchPlan.create("anew", flow, overwrite_cache=True)
    assert [flow(a=1), flow(a=1), anew(a=1), flow(a=1)] == [1] * 4
    assert CALLS == [1, 1]


def test_what_was_called_can_be_pickled() -> None:
    @task
    def more(a: int) -> int:
        return a + 1

    @workflow
    def flow(a: int) -> int:
        return more(a=a)

    assert flow(a=1) == 2
    copied = cloudpickle.loads(cloudpickle.dumps(flow))
    assert copied(a=2) == 3


ASKED = threading.Event()


class Answers(dict[str, Any]):
    """Says when it is asked."""

    def __getitem__(self, name: str) -> Any:
        ASKED.set()
        return super().__getitem__(name)


@task
def until_asked() -> int:
    assert ASKED.wait(timeout=30)
    return 1


@workflow
def asks_meanwhile() -> tuple[int, int]:
    return until_asked(), wait_for_input("number", timeout=timedelta(hours=1), expected_type=int)


def test_a_gate_asks_while_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectory.authoring.gate.ask", lambda name, question: Answers(number=5)[name])
    assert tuple(asks_meanwhile()) == (1, 5)


@workflow
def nobody_answers() -> tuple[int, int]:
    return noted(a=1), wait_for_input("number", timeout=timedelta(hours=1), expected_type=int)


def test_where_nobody_can_be_asked_the_call_ends() -> None:
    with pytest.raises(ExecutionError, match=r"gate 'number' waits for an answer, and there is no terminal to ask on"):
        nobody_answers()


FORKED = """
import os
from tests.workflow_runner.local.test_execution import both

def show():
    print(str(tuple(both())).replace(" ", ""), flush=True)

show()
child = os.fork()
if not child:
    show()
    os._exit(0)
os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot copy a process; Linux and macOS can")
def test_a_process_that_was_forked_has_threads_of_its_own() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["(2,6)", "(2,6)"], done.stderr
