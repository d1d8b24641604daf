"""Python tasks on a Dask cluster: a real one, of processes on this machine."""

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectory.compiler import compile_workflow
from connectory.errors import SettingsError
from tests.workflow_runner.plugins import tasks
from tests.workflow_runner.plugins.test_conformance import OfPython
from tests.workflow_runner.plugins.test_python_task import files
from tests.workflow_runner.workflows import integer, literal_map, string
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.contract import SetupContext
from workflow_runner.plugins.python_task import python_task_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed")


@pytest.fixture
async def cluster(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """A cluster that exists before the runner does, which Dask's own setting names."""
    distributed = pytest.importorskip("distributed", reason="pip install 'connectory[dask]'")
    dask = pytest.importorskip("dask")
    async with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, asynchronous=True, dashboard_address=None
    ) as made:
        with dask.config.set({"scheduler-address": made.scheduler_address}):
            yield


@pytest.mark.usefixtures("cluster")
class TestPythonOnDask(OfPython):
    executor = "dask"


async def test_code_runs_in_processes_of_the_cluster_and_one_that_dies_fails_only_its_node() -> None:
    pytest.importorskip("distributed", reason="pip install 'connectory[dask]'")
    async with Runner(open_store("memory://"), [python_task_plugin("dask", workers=2)]) as runner:
        where = await runner.wait(await runner.start(compile_workflow(tasks.in_a_process), literal_map(x=integer(1))))
        died = await runner.wait(await runner.start(compile_workflow(tasks.kills_itself), literal_map(x=integer(1))))
    assert where.outputs is not None, where.error
    assert where.outputs.literals["o0"].scalar.primitive.integer != os.getpid()
    assert died.error is not None
    assert died.error.code == "WORKER_DIED"


@pytest.mark.usefixtures("cluster")
async def test_abort_says_that_code_on_a_worker_goes_on(tmp_path: Path) -> None:
    async with Runner(open_store("memory://"), [python_task_plugin("dask")]) as runner:
        inputs = literal_map(folder=string(str(tmp_path)))
        execution = await runner.start(compile_workflow(tasks.ends_when_told), inputs)
        await files(tmp_path, 1)
        result = await runner.abort(execution)
        (node,) = (await runner.show(execution)).nodes
    (tmp_path / "end").touch()
    assert result.phase is ExecutionPhase.ABORTED
    assert node.error is not None
    assert "code that runs on a Dask worker cannot be ended" in node.error.message


def test_without_dask_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "workflow_runner.python.dask", None)
    with pytest.raises(SettingsError, match=r"pip install 'connectory\[dask\]'"):
        python_task_plugin("dask").load_plugin(SetupContext())
