"""How long a task may wait, run, and take altogether, as its author says it."""

from datetime import timedelta

import pytest

from connectory.authoring import TaskMetadata, task, workflow
from connectory.compiler import compile_workflow
from connectory.errors import AuthoringError
from tests.workflow_runner.fakes import FakePlugin
from workflow_runner.engine.settings import Backoff, ExecutionSettings
from workflow_runner.engine.state import NodePhase
from workflow_runner.plugins.contract import PluginEntry
from workflow_runner.plugins.phases import PhaseInfo
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store
from workflow_runner.views import ExecutionView, NodeUpdate

SOON = timedelta(milliseconds=50)
FLAKY = PhaseInfo.retryable_failure("FLAKY", "it flickered")


@task(metadata=TaskMetadata(queue_timeout=SOON))
def queues() -> None:
    return


@task(metadata=TaskMetadata(total_timeout=SOON, retries=1000))
def fails() -> None:
    return


@task(timeout=SOON)
def runs() -> None:
    return


@workflow
def two() -> None:
    queues()
    queues()


@workflow
def again_and_again() -> None:
    fails()


@workflow
def one() -> None:
    runs()


async def ended(program: object, script: dict[str, list[object]], release: str = "") -> ExecutionView:
    plugin = FakePlugin(script)
    entry = PluginEntry(id="fake", registered_task_types=("python-task",), load_plugin=lambda setup: plugin)
    settings = ExecutionSettings(max_parallelism=1, backoff=Backoff(base=0.001, cap=0.01))
    async with Runner(open_store("memory://"), [entry]) as runner:
        execution = await runner.start(compile_workflow(program), settings=settings)
        async for update in runner.subscribe(execution):
            if isinstance(update, NodeUpdate) and update.node.phase is NodePhase.TIMED_OUT:
                plugin.release(release)
        return await runner.show(execution)


@pytest.mark.parametrize(
    ("program", "script", "code", "words"),
    [
        (two, {"n0": ["hold"]}, "QUEUED_TOO_LONG", "did not begin to run within 0.05 s"),
        (again_and_again, {"n0": [FLAKY] * 1000}, "TIMED_OUT", "did not end within its total time"),
        (one, {"n0": ["hold"]}, "TIMED_OUT", "attempt 0 did not end within 0.05 s"),
    ],
    ids=["queue", "total", "run"],
)
async def test_a_time_that_is_over_ends_the_node(
    program: object, script: dict[str, list[object]], code: str, words: str
) -> None:
    view = await ended(program, script, release="n0")
    assert view.error is not None
    assert view.error.code == code
    assert words in view.error.message
    assert NodePhase.TIMED_OUT in [node.phase for node in view.nodes]


def test_a_time_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(AuthoringError, match="queue_timeout is 'soon'; give a timedelta, or whole seconds"):
        TaskMetadata(queue_timeout="soon")  # type: ignore[arg-type]
