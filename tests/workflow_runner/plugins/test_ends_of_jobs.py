"""Whatever ends an execution, no job of it is left outside."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectory.client.connector import ConnectorClient
from connectory.connector.contract import Phase
from connectory.v1 import tasks_pb2, workflow_pb2
from tests.workflow_runner.plugins.fake_service import FakeSystem, fake_service
from tests.workflow_runner.workflows import (
    INTEGER,
    approval,
    array,
    closure,
    constant,
    integer,
    many,
    node,
    task,
    types_list,
    workflow,
)
from workflow_runner.engine.settings import Backoff, ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.connector import connector_plugin
from workflow_runner.plugins.patience import Patience
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

QUICK = Patience(first_poll=0.001, slowest_poll=0.01, first_retry=0.001, slowest_retry=0.01)
TIME = 0.5
TIME_TO_BEGIN = 3.0
"""Long enough for what runs beside a gate to have begun, also where much else goes on."""
ENDLESS = {"rounds": 10**9}


def endless(name: str = "t", **settings: Any) -> tasks_pb2.TaskTemplate:
    return task(name, inputs={"a": INTEGER}, outputs={"o": INTEGER}, custom=ENDLESS, **settings)


def seven(name: str, template: Any) -> workflow_pb2.Node:
    return node(name, template, {"a": constant(integer(7))})


def of_one(template: tasks_pb2.TaskTemplate) -> workflow_pb2.CompiledWorkflowClosure:
    return closure(workflow("w", [seven("n", template)]), [template])


def in_a_workflow_with_a_time() -> workflow_pb2.CompiledWorkflowClosure:
    template, inner = endless(), workflow("inner", [seven("n", endless())])
    outer = node("outer", inner)
    outer.metadata.timeout.FromMilliseconds(int(1000 * TIME))
    return closure(workflow("w", [outer]), [template], [inner])


def beside_a_gate() -> workflow_pb2.CompiledWorkflowClosure:
    template = endless()
    return closure(
        workflow("w", [seven("n", template), approval("gate", "fine", {}, timeout=TIME_TO_BEGIN)]), [template]
    )


def repeated() -> workflow_pb2.CompiledWorkflowClosure:
    lists = {"a": types_list(INTEGER)}
    template = task("t", inputs=lists, outputs={"o": types_list(INTEGER)}, custom=ENDLESS, timeout=TIME)
    members = many(*(constant(integer(number)) for number in range(5)))
    return closure(workflow("w", [array("n", template, {"a": members})]), [template])


@pytest.fixture
def socket() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are too long for a socket's name
        yield Path(folder, "s")


@pytest.mark.parametrize("stubborn", [0, 2], ids=["obedient", "stubborn"])
@pytest.mark.parametrize(
    ("made", "jobs"),
    [
        (of_one(endless(timeout=TIME, retries=1)), 2),
        (of_one(endless(deadline=TIME, retries=5)), 1),
        (of_one(endless(queued=TIME)), 1),
        (in_a_workflow_with_a_time(), 1),
        (beside_a_gate(), 1),
        (repeated(), 5),
    ],
    ids=["time of an attempt", "total time", "queue time", "time of a workflow", "failure of a gate", "repetitions"],
)
async def test_every_job_is_deleted_and_seen_to_be_gone(
    socket: Path, made: workflow_pb2.CompiledWorkflowClosure, jobs: int, stubborn: int, request: pytest.FixtureRequest
) -> None:
    system = FakeSystem(stubborn=stubborn)
    if "queue time" in request.node.name:
        system.phase = Phase.QUEUED
    settings = ExecutionSettings(backoff=Backoff(base=0.001))
    plugin = connector_plugin([ConnectorClient(f"unix:{socket}")], QUICK)
    async with fake_service(socket, system), Runner(open_store("memory://"), [plugin]) as runner:
        execution = await runner.start(made, settings=settings)
        result = await runner.wait(execution)
        view = await runner.show(execution)
    assert result.phase is ExecutionPhase.FAILED
    assert len(system.jobs) == jobs
    assert all(job.deleted for job in system.jobs.values())
    assert all(each.phase.is_terminal for each in view.nodes)
