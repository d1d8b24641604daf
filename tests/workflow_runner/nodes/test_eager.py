"""Code that awaits tasks, run durably: what it calls are nodes, and code that is run again calls nothing twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connectory.compiler import compile_workflow
from tests.workflow_runner.nodes import eager_programs as programs
from tests.workflow_runner.nodes.test_kinds import literals, native
from workflow_runner.engine.settings import Backoff, ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase, NodePhase
from workflow_runner.plugins.python_task import Executor, python_task_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store
from workflow_runner.views import ExecutionResult, ExecutionView

QUICK = ExecutionSettings(backoff=Backoff(base=0.01))


@asynccontextmanager
async def runner(executor: Executor = "thread", url: str = "memory://") -> AsyncIterator[Runner]:
    async with Runner(open_store(url), [python_task_plugin(executor, workers=1)]) as opened:
        yield opened


async def run(
    workflow: Any, executor: Executor = "thread", settings: ExecutionSettings = QUICK, **values: object
) -> tuple[ExecutionResult, ExecutionView]:
    async with runner(executor) as opened:
        execution = await opened.start(compile_workflow(workflow), literals(workflow, **values), settings=settings)
        result = await opened.wait(execution)
        return result, await opened.show(execution)


def phases(view: ExecutionView) -> dict[str, NodePhase]:
    return {node.id: node.phase for node in view.nodes}


@pytest.mark.parametrize("executor", ["thread", "process"])
async def test_what_it_awaits_are_nodes_inside_its_own(executor: Executor) -> None:
    result, view = await run(programs.flow, executor, x=3)
    assert native(programs.flow, result) == 25
    calls = [node for node in view.nodes if node.id.startswith("n0.")]
    assert [node.name for node in calls] == ["double"] * 3
    assert all(node.phase is NodePhase.SUCCEEDED for node in view.nodes)


async def test_calls_that_are_gathered_run_at_once() -> None:
    settings = ExecutionSettings(max_parallelism=1)
    result, view = await run(programs.gathered_flow, settings=settings, xs=[1, 2, 2, 3])
    assert native(programs.gathered_flow, result) == [2, 4, 4, 6]
    assert len(view.nodes) == 1 + 4


async def test_it_may_catch_what_a_task_failed_with() -> None:
    assert native(programs.forgiving_flow, (await run(programs.forgiving_flow, x=3))[0]) == "3"
    result, view = await run(programs.forgiving_flow, x=4)
    assert native(programs.forgiving_flow, result).startswith("caught ValueError: 4 is even")
    assert sorted(phases(view).values()) == [NodePhase.FAILED, NodePhase.SUCCEEDED]


async def test_what_it_does_not_catch_is_its_failure() -> None:
    result, _ = await run(programs.failing_flow, x=4)
    assert result.phase is ExecutionPhase.FAILED
    assert result.error is not None
    assert result.error.code == "ValueError"
    assert "4 is even" in result.error.message


@pytest.mark.parametrize("executor", ["thread", "process"])
async def test_eager_tasks_call_each_other(executor: Executor) -> None:
    result, _ = await run(programs.nesting_flow, executor, x=3)
    assert native(programs.nesting_flow, result) == 24 + 32


async def test_workflows_launch_plans_and_repetitions_are_called_too() -> None:
    result, view = await run(programs.everything_flow, x=3)
    assert native(programs.everything_flow, result) == (3 + 1) + (3 + 100) + (1 + 3) + (2 + 4)
    kinds = sorted(node.kind for node in view.nodes if node.id.count(".") == 1)
    assert kinds == ["array", "task", "workflow", "workflow"]


@pytest.mark.parametrize("executor", ["thread", "process"])
async def test_a_call_that_is_given_up_is_ended(executor: Executor, tmp_path: Path) -> None:
    async with Runner(open_store("memory://"), [python_task_plugin(executor, workers=2)]) as opened:
        inputs = literals(programs.hurried_flow, folder=str(tmp_path))
        execution = await opened.start(compile_workflow(programs.hurried_flow), inputs)
        assert native(programs.hurried_flow, await opened.wait(execution)) == "instead"
        ended = phases(await opened.show(execution))
    assert sorted(ended.values()) == [NodePhase.ABORTED, NodePhase.SUCCEEDED, NodePhase.SUCCEEDED]


async def test_an_abort_ends_the_code_and_what_it_called(tmp_path: Path) -> None:
    async with runner("process") as opened:
        inputs = literals(programs.waiting_flow, folder=str(tmp_path))
        execution = await opened.start(compile_workflow(programs.waiting_flow), inputs)
        await until(tmp_path / "after first")
        result = await opened.abort(execution)
        ended = phases(await opened.show(execution))
    assert result.phase is ExecutionPhase.ABORTED
    assert sorted(ended.values()) == [NodePhase.ABORTED, NodePhase.ABORTED, NodePhase.SUCCEEDED]


async def test_after_a_restart_finished_calls_are_answered_from_the_log(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    folder = tmp_path / "work"
    folder.mkdir()
    async with runner("process", url) as opened:
        inputs = literals(programs.waiting_flow, folder=str(folder))
        execution = await opened.start(compile_workflow(programs.waiting_flow), inputs)
        await until(folder / "after first")
    (folder / "after first").unlink()
    async with runner("process", url) as opened:
        await opened.resume(execution)
        await until(folder / "after first")
        assert len((await opened.show(execution)).nodes) == 3
        assert (folder / "first").read_text() == "run\n"
        assert (await opened.abort(execution)).phase is ExecutionPhase.ABORTED


async def test_when_it_is_retried_what_succeeded_is_not_run_again(tmp_path: Path) -> None:
    result, view = await run(programs.second_time_flow, folder=str(tmp_path))
    assert native(programs.second_time_flow, result) == "first"
    assert (tmp_path / "first").read_text() == "run\n"
    assert next(node.attempt for node in view.nodes if node.id == "n0") == 1


async def until(file: Path) -> None:
    async with asyncio.timeout(30):
        while not file.exists():  # noqa: ASYNC110, ASYNC240 - written by another process
            await asyncio.sleep(0.01)
