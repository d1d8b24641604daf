"""Where the code of Python tasks runs: processes that are ready before they are needed, and threads."""

import asyncio
import sys
import threading
from pathlib import Path

import pytest

from connectory.authoring.task import task
from connectory.authoring.workflow import workflow
from connectory.compiler import compile_workflow
from tests.workflow_runner.plugins import tasks
from tests.workflow_runner.workflows import integer, literal_map
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.python_task import python_task_plugin
from workflow_runner.python.pool import ThreadPool
from workflow_runner.python.processes import ProcessExecutor
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store


@task
def leaves(x: int) -> int:
    sys.exit(x)


@workflow
def left(x: int) -> int:
    return leaves(x=x)


def children() -> set[int]:
    folder = Path("/proc/self/task")
    if not folder.exists():
        pytest.skip("the children of a process are listed by Linux only")
    return {int(pid) for each in folder.iterdir() for pid in (each / "children").read_text().split()}


async def test_the_first_call_goes_to_the_process_that_was_prepared() -> None:
    before = children()
    processes = ProcessExecutor(2)
    await processes.prepare()
    (prepared,) = children() - before
    async with Runner(open_store("memory://"), [python_task_plugin(processes)]) as runner:
        closure = compile_workflow(tasks.in_a_process)
        for _ in range(2):
            result = await runner.wait(await runner.start(closure, literal_map(x=integer(1))))
            assert result.outputs is not None, result.error
            (literal,) = result.outputs.literals.values()
            assert literal.scalar.primitive.integer == prepared
    assert prepared not in children()


async def test_a_process_that_was_prepared_for_nothing_ends_with_its_executor() -> None:
    before = children()
    processes = ProcessExecutor()
    await processes.prepare()
    await processes.close()
    assert children() <= before


async def test_code_that_leaves_its_thread_fails_its_node_and_nothing_else() -> None:
    async with Runner(open_store("memory://"), [python_task_plugin("thread")]) as runner:
        result = await runner.wait(await runner.start(compile_workflow(left), literal_map(x=integer(3))))
        assert result.phase is ExecutionPhase.FAILED
        assert result.error is not None
        assert (result.error.code, result.error.message) == ("SystemExit", "the task's code ended: SystemExit")
        result = await runner.wait(await runner.start(compile_workflow(tasks.arithmetic), literal_map(x=integer(20))))
        assert result.phase is ExecutionPhase.SUCCEEDED


async def test_a_pool_that_closes_ends_what_is_under_way_and_begins_nothing_more() -> None:
    entered, gate = threading.Event(), threading.Event()
    done: list[int] = []

    def perform(number: int) -> int:
        entered.set()
        gate.wait(30)
        done.append(number)
        return number

    pool: ThreadPool[int, int] = ThreadPool(perform, size=1, name="test")
    first, second = pool.begin(1), pool.begin(2)
    await asyncio.to_thread(entered.wait, 30)
    pool.close()
    gate.set()
    assert await asyncio.wait_for(first, 30) == 1
    assert second.cancelled()
    assert done == [1]


async def test_a_pool_leaves_out_what_was_cancelled_before_its_turn() -> None:
    gate = threading.Event()
    done: list[int] = []

    def perform(number: int) -> int:
        gate.wait(30)
        done.append(number)
        return number

    pool: ThreadPool[int, int] = ThreadPool(perform, size=1, name="test")
    first, second, third = (pool.begin(number) for number in range(3))
    second.cancel()
    gate.set()
    assert await asyncio.wait_for(asyncio.gather(first, third), 30) == [0, 2]
    assert done == [0, 2]
    pool.close()


async def test_a_thread_goes_on_with_what_follows_until_something_else_waits_for_it() -> None:
    entered, gate = threading.Event(), threading.Event()
    done: list[int] = []

    def perform(number: int) -> int:
        if number == 3:
            entered.set()
            gate.wait(30)
        done.append(number)
        return number

    pool: ThreadPool[int, int] = ThreadPool(
        perform, size=1, name="test", follow=lambda work, result: result + 1 if result < 9 else None
    )
    first = pool.begin(0)
    await asyncio.to_thread(entered.wait, 30)
    second = pool.begin(7)
    gate.set()
    assert await asyncio.wait_for(asyncio.gather(first, second), 30) == [3, 9]
    assert done == [0, 1, 2, 3, 7, 8, 9]
    pool.close()
