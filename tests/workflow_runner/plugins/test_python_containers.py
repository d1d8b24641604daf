"""Python tasks in containers of their own: the container reads and writes protobuf where the engine says."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from connectory.compiler import compile_workflow
from connectory.v1 import literals_pb2
from tests.workflow_runner.plugins import containers
from tests.workflow_runner.plugins.service import QUICK, connector_service
from tests.workflow_runner.workflows import integer, literal_map
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.container import container_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store
from workflow_runner.views import ExecutionResult

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTORY_PROCESS_DIR", str(tmp_path / "jobs"))
    monkeypatch.setenv("CONNECTORY_CONTAINER_RUNTIME", "process")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")


async def run(folder: Path, workflow: Any, inputs: literals_pb2.LiteralMap, *, prefix: bool = True) -> ExecutionResult:
    closure = compile_workflow(workflow)
    for task in closure.tasks:
        task.template.container.env.add(key="PYTHONPATH", value=str(ROOT))
    settings = ExecutionSettings(output_prefix=str(folder / "out") if prefix else "")
    async with connector_service() as clients:
        entry = container_plugin(clients, folder=folder / "containers", patience=QUICK, task_types=["python-task"])
        async with Runner(open_store("memory://"), [entry]) as runner:
            return await runner.wait(await runner.start(closure, inputs, settings=settings))


async def test_outputs_are_what_the_container_left(tmp_path: Path) -> None:
    result = await run(tmp_path, containers.halves, literal_map(x=integer(84)))
    assert result.outputs == literal_map(o0=integer(42)), result.error


async def test_an_error_is_what_the_container_left(tmp_path: Path) -> None:
    result = await run(tmp_path, containers.halves, literal_map(x=integer(7)))
    assert result.phase is ExecutionPhase.FAILED
    assert result.error is not None
    assert (result.error.code, result.error.kind) == ("ValueError", "user")
    assert result.error.message.startswith("ValueError: 7 is odd")


async def test_nodes_that_a_dynamic_task_left_run_in_containers_too(tmp_path: Path) -> None:
    result = await run(tmp_path, containers.halves_often, literal_map(x=integer(40), times=integer(2)))
    assert result.outputs == literal_map(o0=integer(10)), result.error


async def test_without_an_output_prefix_there_is_no_place_for_the_inputs(tmp_path: Path) -> None:
    result = await run(tmp_path, containers.halves, literal_map(x=integer(2)), prefix=False)
    assert result.error is not None
    assert "the execution has no output prefix; start it with one" in result.error.message
