"""Quick tasks in a row that go on in their thread: nothing that may happen meanwhile is lost, or done twice."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from connectory.compiler import compile_workflow
from connectory.connector.contract import Phase
from connectory.errors import StoreError
from tests.workflow_runner import relayed
from tests.workflow_runner.relayed import EXECUTION, STEPS, TELLS, WAITS, Course
from tests.workflow_runner.workflows import integer, literal_map
from workflow_runner.engine.state import ExecutionPhase, NodePhase
from workflow_runner.plugins.contract import (
    Beginning,
    Following,
    Plugin,
    PluginEntry,
    PluginProperties,
    QuickRun,
    TaskExecutionContext,
)
from workflow_runner.plugins.python_task import PythonTaskPlugin, python_task_plugin
from workflow_runner.python.threads import ThreadExecutor
from workflow_runner.replay import replay
from workflow_runner.runner import Runner
from workflow_runner.store.contract import ExecutionRecord, LogRecord
from workflow_runner.store.opening import open_store
from workflow_runner.store.sqlite import SqliteStore
from workflow_runner.views import NodeUpdate

ROOT = Path(__file__).parents[2]
ALL = list(range(STEPS))


@pytest.fixture
def course(monkeypatch: pytest.MonkeyPatch) -> Iterator[Course]:
    made = Course()
    monkeypatch.setattr(relayed, "course", made)
    yield made
    made.may_go_on.set()
    made.late_may_end.set()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
async def runner(file: Path) -> AsyncIterator[Runner]:
    async with Runner(open_store(f"sqlite:///{file}"), [python_task_plugin("thread", workers=1)]) as opened:
        yield opened


async def waiting(runner: Runner, course: Course, execution: str = EXECUTION) -> None:
    """Start the execution; return when its step waits."""
    await runner.start(compile_workflow(relayed.steps), execution_id=execution)
    assert await asyncio.to_thread(course.waits.wait, 60)


async def test_steps_follow_each_other_while_the_event_loop_does_something_else(
    runner: Runner, course: Course, file: Path
) -> None:
    await waiting(runner, course)
    course.may_go_on.set()
    assert course.got_far.wait(60)  # the event loop stands still meanwhile
    written = sqlite3.connect(file)
    assert written.execute("SELECT count(*) FROM events").fetchone()[0] > TELLS
    written.close()
    result = await runner.wait(EXECUTION)
    assert (result.outputs and result.outputs.literals["o0"].scalar.primitive.integer) == STEPS
    assert course.steps(EXECUTION) == ALL


async def test_the_log_tells_all_of_it(runner: Runner, course: Course, file: Path) -> None:
    course.may_go_on.set()
    await waiting(runner, course)
    await runner.wait(EXECUTION)
    state = await runner.state(EXECUTION)
    async with open_store(f"sqlite:///{file}") as store:
        assert replay(EXECUTION, await store.log(EXECUTION)) == state
    assert {node.phase for node in state.nodes.values()} == {NodePhase.SUCCEEDED}


async def test_who_asks_in_between_sees_how_far_it_is(runner: Runner, course: Course) -> None:
    await waiting(runner, course)
    state = await runner.state(EXECUTION)
    assert (state.nodes[f"n{WAITS - 1}"].phase, state.nodes[f"n{WAITS}"].job_phase) == (
        NodePhase.SUCCEEDED,
        Phase.RUNNING,
    )
    course.may_go_on.set()
    await runner.wait(EXECUTION)
    assert course.steps(EXECUTION) == ALL


async def test_who_watches_from_then_on_is_told_of_every_end(runner: Runner, course: Course) -> None:
    await waiting(runner, course)
    ended: list[str] = []
    async for update in runner.subscribe(EXECUTION):
        if isinstance(update, NodeUpdate) and update.node.phase is NodePhase.SUCCEEDED:
            ended.append(update.node.id)
            if update.node.id == f"n{WAITS - 1}":
                course.may_go_on.set()
    assert ended == [f"n{number}" for number in ALL]


async def test_nothing_begins_after_an_abort(runner: Runner, course: Course) -> None:
    await waiting(runner, course)
    result = await runner.abort(EXECUTION)
    assert result.phase is ExecutionPhase.ABORTED
    course.may_go_on.set()
    execution = await runner.start(compile_workflow(relayed.steps))  # in the same thread, once it is free
    assert (await runner.wait(execution)).phase is ExecutionPhase.SUCCEEDED
    assert course.steps(EXECUTION) == ALL[: WAITS + 1]


async def test_a_step_that_was_left_says_nothing_in_place_of_the_one_that_runs(course: Course, file: Path) -> None:
    closure = compile_workflow(relayed.with_late_steps)
    for node in closure.primary.template.nodes:
        node.metadata.timeout.FromSeconds(2)
    async with Runner(open_store(f"sqlite:///{file}"), [python_task_plugin("thread", workers=2)]) as runner:
        await runner.start(closure, literal_map(number=integer(0)), execution_id=EXECUTION)
        assert await asyncio.to_thread(course.waits.wait, 60)
        course.late_may_end.set()
        assert await asyncio.to_thread(course.late_ends.wait, 60)
        await runner.wait(await runner.start(compile_workflow(relayed.short)))  # in the thread of the late one
        course.may_go_on.set()
        assert (await runner.wait(EXECUTION)).phase is ExecutionPhase.FAILED
    assert course.steps(EXECUTION) == [*range(WAITS), *ALL]


class Slow(SqliteStore):
    """Waits for a moment when a thread has written one of the records, so that another one might be written then."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.has_written = threading.Event()
        self.is_overtaken = threading.Event()

    def append_at_once(self, execution_id: str, number: int, record: LogRecord) -> bool:
        written = super().append_at_once(execution_id, number, record)
        if number == WAITS:
            self.has_written.set()
            self.is_overtaken.wait(0.3)
        return written

    async def append(
        self, execution_id: str, number: int, log: Sequence[LogRecord], update: ExecutionRecord | None = None
    ) -> None:
        if self.has_written.is_set():
            self.is_overtaken.set()
        await super().append(execution_id, number, log, update)


async def test_what_happens_while_a_thread_takes_its_turn_comes_after_that(course: Course, file: Path) -> None:
    store = Slow(file)
    async with Runner(store, [python_task_plugin("thread")]) as runner:
        course.may_go_on.set()
        await runner.start(compile_workflow(relayed.steps), execution_id=EXECUTION)
        assert await asyncio.to_thread(store.has_written.wait, 60)
        assert (await runner.abort(EXECUTION)).phase is ExecutionPhase.ABORTED
        assert replay(EXECUTION, await store.log(EXECUTION)) == await runner.state(EXECUTION)
    assert course.steps(EXECUTION) == ALL[: len(course.begun)]


class Elsewhere(Plugin):
    """Carries attempts out by one call; it cannot say what follows one."""

    def __init__(self) -> None:
        self.prepared_in: set[threading.Thread] = set()

    @property
    def properties(self) -> PluginProperties:
        return PluginProperties(reads_references=True)

    def prepare(self, ctx: TaskExecutionContext) -> QuickRun:
        self.prepared_in.add(threading.current_thread())
        return RunElsewhere(ctx)

    def relay(self, run: QuickRun, following: Following) -> bool:
        raise RuntimeError("it does not know")


class RunElsewhere:
    def __init__(self, ctx: TaskExecutionContext) -> None:
        self.number = ctx.inputs.literals["number"]

    def begin(self, ended: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_soon(ended)

    def outputs(self) -> bytes:
        return literal_map(o0=self.number).SerializeToString()

    def forget(self) -> None: ...

    def drop(self) -> None: ...


async def test_a_plugin_of_other_steps_is_asked_by_the_event_loop_only_and_need_not_know_of_rows(
    course: Course, file: Path
) -> None:
    closure = compile_workflow(relayed.steps_here_and_elsewhere)
    for task in closure.tasks:
        if task.template.id.name.endswith("elsewhere"):
            task.template.type = "elsewhere"
    plugin = Elsewhere()
    entry = PluginEntry(id="elsewhere", registered_task_types=("elsewhere",), load_plugin=lambda setup: plugin)
    async with Runner(open_store(f"sqlite:///{file}"), [python_task_plugin("thread"), entry]) as runner:
        for _ in range(2):  # the second time, the plugin is loaded already
            result = await runner.wait(await runner.start(closure))
            assert (result.outputs and result.outputs.literals["o0"].scalar.primitive.integer) == WAITS
    assert plugin.prepared_in == {threading.current_thread()}


class Hindered(PythonTaskPlugin):
    """Cannot begin in its thread what follows the step that waits."""

    def relay(self, run: QuickRun, following: Following) -> bool:
        def hindered(outputs: bytes, begin: Beginning) -> None:
            following(outputs, cannot if len(relayed.course.begun) == WAITS + 1 else begin)

        def cannot(run: QuickRun, ended: Callable[[], None]) -> None:
            raise OSError("too many open files")

        return super().relay(run, hindered)


@pytest.mark.parametrize("is_ended", [False, True])
async def test_what_cannot_begin_in_its_thread_begins_all_the_same(
    is_ended: bool, course: Course, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    executor = ThreadExecutor()
    entry = PluginEntry(
        id="hindered",
        registered_task_types=("python-task",),
        load_plugin=lambda setup: Hindered(executor, can_end=False, driver=executor),
    )
    async with Runner(open_store(f"sqlite:///{file}"), [entry]) as runner:
        await waiting(runner, course)
        course.may_go_on.set()
        if is_ended:
            assert (await runner.abort(EXECUTION)).phase is ExecutionPhase.ABORTED
            assert course.steps(EXECUTION) == ALL[: len(course.begun)]
        else:
            result = await runner.wait(EXECUTION)
            assert (result.outputs and result.outputs.literals["o0"].scalar.primitive.integer) == STEPS
            assert course.steps(EXECUTION) == ALL
            assert "too many open files" in caplog.text


class Held(SqliteStore):
    """Writes the record of a step's end once it may."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.is_asked = asyncio.Event()
        self.may_write = asyncio.Event()
        self.has_written = asyncio.Event()

    async def append(
        self, execution_id: str, number: int, log: Sequence[LogRecord], update: ExecutionRecord | None = None
    ) -> None:
        if self.is_asked.is_set() or number < WAITS:
            await super().append(execution_id, number, log, update)
            return
        self.is_asked.set()
        await self.may_write.wait()
        await super().append(execution_id, number, log, update)
        self.has_written.set()

    def appends_at_once(self, execution_id: str) -> bool:
        return self.is_asked.is_set() and super().appends_at_once(execution_id)


async def test_nothing_begins_that_is_written_down_while_the_execution_is_left(
    course: Course, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Held(file)

    async def let_go(plugin: PythonTaskPlugin, ctx: TaskExecutionContext) -> None:
        store.may_write.set()
        await store.has_written.wait()
        for _ in range(10):
            await asyncio.sleep(0)

    monkeypatch.setattr(PythonTaskPlugin, "let_go", let_go)
    course.may_go_on.set()
    async with Runner(store, [python_task_plugin("thread")]) as runner:
        await runner.start(compile_workflow(relayed.steps), execution_id=EXECUTION)
        await store.is_asked.wait()
        begun = len(course.begun)
    assert course.steps(EXECUTION) == ALL[:begun]


async def test_nothing_begins_once_another_runner_has_taken_over(runner: Runner, course: Course, file: Path) -> None:
    await waiting(runner, course)
    other = sqlite3.connect(file)
    with other:
        other.execute("UPDATE executions SET owner = 'another'")
    other.close()
    course.may_go_on.set()
    with pytest.raises(StoreError, match="another runner has taken the execution over"):
        await runner.wait(EXECUTION)
    assert course.steps(EXECUTION) == ALL[: WAITS + 1]


async def test_what_waits_for_the_thread_comes_before_the_next_step(runner: Runner, course: Course) -> None:
    await waiting(runner, course)
    await runner.start(compile_workflow(relayed.steps), execution_id="other")
    course.may_go_on.set()
    await asyncio.gather(runner.wait(EXECUTION), runner.wait("other"))
    place = course.begun.index((EXECUTION, WAITS))
    assert course.begun[place + 1] == ("other", 0)
    assert (course.steps(EXECUTION), course.steps("other")) == (ALL, ALL)


async def test_whoever_closes_the_runner_goes_on_later(course: Course, file: Path) -> None:
    plugin = python_task_plugin("thread", workers=1)
    async with Runner(open_store(f"sqlite:///{file}"), [plugin]) as first:
        await waiting(first, course)
    course.may_go_on.set()
    async with Runner(open_store(f"sqlite:///{file}"), [python_task_plugin("thread")]) as second:
        await second.resume(EXECUTION)
        assert (await second.wait(EXECUTION)).phase is ExecutionPhase.SUCCEEDED
    assert course.steps(EXECUTION) == [*ALL[: WAITS + 1], *ALL[WAITS:]]


def test_a_runner_that_is_killed_again_and_again_repeats_at_most_the_step_it_was_at(tmp_path: Path) -> None:
    for kill in range(8):
        died = _process(tmp_path, 0.01 + 0.012 * kill)
        if died.returncode == 0:
            break
    ended = _process(tmp_path, 0.0)
    assert ended.stdout.splitlines()[-1] == "SUCCEEDED", ended.stderr
    ran = [int(line) for line in (tmp_path / "lines").read_text().splitlines()]
    assert (ran[0], ran[-1]) == (0, 3 * STEPS - 1)
    assert {after - before for before, after in pairwise(ran)} <= {0, 1}
    assert sum(after == before for before, after in pairwise(ran)) <= kill + 1


def _process(folder: Path, seconds: float) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.workflow_runner.relayed", str(folder), str(seconds)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
