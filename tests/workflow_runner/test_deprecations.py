"""Tasks that should not be used any more are named when they are used."""

import pytest

from connectory import task, workflow
from connectory.compiler import compile_workflow
from workflow_runner.plugins.python_task import python_task_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store


@task(deprecated="use `newer`")
def older(x: int) -> int:
    return x


@task
def newer(x: int) -> int:
    return x


@workflow
def flow() -> int:
    return newer(x=older(x=older(x=1)))


async def test_whoever_starts_an_execution_is_told_once_of_each(caplog: pytest.LogCaptureFixture) -> None:
    async with Runner(open_store("memory://"), [python_task_plugin("thread")]) as runner:
        execution = await runner.start(compile_workflow(flow))
        await runner.wait(execution)
    said = [record.getMessage() for record in caplog.records if "deprecated" in record.getMessage()]
    assert said == [f"execution {execution}: task {older.name} is deprecated: use `newer`"]
