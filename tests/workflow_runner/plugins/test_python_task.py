"""The python-task plugin with real tasks, in processes and in threads."""

import asyncio
import os
from pathlib import Path

import pytest

from connectory.compiler import compile_workflow
from connectory.v1 import literals_pb2
from tests.workflow_runner.plugins import tasks
from tests.workflow_runner.workflows import integer, literal_map, string
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.python_task import Executor, python_task_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store
from workflow_runner.views import ExecutionResult


async def run(workflow: object, inputs: literals_pb2.LiteralMap, executor: Executor = "process") -> ExecutionResult:
    async with Runner(open_store("memory://"), [python_task_plugin(executor, workers=2)]) as runner:
        return await runner.wait(await runner.start(compile_workflow(workflow), inputs))


async def files(folder: Path, count: int) -> list[str]:
    while len(found := os.listdir(folder)) < count:  # noqa: ASYNC110 - another process makes them
        await asyncio.sleep(0.01)
    return found


def number(result: ExecutionResult) -> int:
    assert result.outputs is not None, result.error
    (literal,) = result.outputs.literals.values()
    return literal.scalar.primitive.integer


@pytest.mark.parametrize("executor", ["process", "thread"])
async def test_functions_and_coroutines_run(executor: Executor) -> None:
    assert number(await run(tasks.arithmetic, literal_map(x=integer(20)), executor)) == 41


async def test_a_process_of_its_own_keeps_its_prints_to_itself(capfd: pytest.CaptureFixture[str]) -> None:
    assert number(await run(tasks.in_a_process, literal_map(x=integer(1)))) != os.getpid()
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "must not reach" in captured.err


@pytest.mark.parametrize("executor", ["process", "thread"])
async def test_an_exception_fails_the_node_with_the_authors_traceback(executor: Executor) -> None:
    result = await run(tasks.breaks, literal_map(x=integer(1)), executor)
    assert result.phase is ExecutionPhase.FAILED
    assert result.error is not None
    assert (result.error.code, result.error.kind) == ("KeyError", "user")
    assert "no such thing" in result.error.message
    assert 'raise KeyError("no such thing")' in result.error.message


@pytest.mark.parametrize("executor", ["process", "thread"])
@pytest.mark.parametrize(
    ("how", "code", "said"),
    [
        ("long", "ValueError", "characters left out"),
        ("no text", "ValueError", "a?b"),
        ("silent", "Unspeakable", "its text cannot be made"),
    ],
)
async def test_whatever_an_exception_says_can_be_kept_and_shown(
    how: str, code: str, said: str, executor: Executor
) -> None:
    result = await run(tasks.breaks_oddly, literal_map(how=string(how)), executor)
    assert result.error is not None
    assert result.error.code == code
    assert said in result.error.message
    assert len(result.error.message) < 100_000


async def test_an_exception_is_worth_a_retry_when_the_author_asked_for_some(tmp_path: Path) -> None:
    result = await run(tasks.breaks_until, literal_map(folder=string(str(tmp_path)), times=integer(1)), "thread")
    assert number(result) == 1


async def test_code_that_kills_its_process_fails_only_its_node() -> None:
    result = await run(tasks.kills_itself, literal_map(x=integer(1)))
    assert result.error is not None
    assert result.error.code == "WORKER_DIED"
    assert "signal SIGKILL" in result.error.message


async def test_abort_ends_the_process_of_the_code(tmp_path: Path) -> None:
    async with Runner(open_store("memory://"), [python_task_plugin(workers=1)]) as runner:
        closure = compile_workflow(tasks.never_ends)
        execution = await runner.start(closure, literal_map(folder=string(str(tmp_path))))
        started = await files(tmp_path, 1)
        result = await runner.abort(execution)
    assert result.phase is ExecutionPhase.ABORTED
    with pytest.raises(ProcessLookupError):
        os.kill(int(started[0]), 0)


async def test_code_that_was_running_when_the_runner_ended_runs_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    folder = tmp_path / "tries"
    folder.mkdir()
    async with Runner(open_store(url), [python_task_plugin(workers=1)]) as runner:
        closure = compile_workflow(tasks.never_ends)
        execution = await runner.start(closure, literal_map(folder=string(str(folder))))
        await files(folder, 1)
    async with Runner(open_store(url), [python_task_plugin(workers=1)]) as runner:
        await runner.resume(execution)
        await files(folder, 2)
        (node,) = (await runner.show(execution)).nodes
        await runner.abort(execution)
    assert node.attempt == 1
    assert node.error is not None
    assert node.error.code == "INTERRUPTED"


async def test_code_runs_here_whatever_the_type_of_its_task() -> None:
    assert number(await run(tasks.negated, literal_map(x=integer(4)))) == -4
