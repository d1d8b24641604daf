"""Two services on one store: whichever is asked, the answer is the same."""

import asyncio
from pathlib import Path

import pytest

from connectory.errors import AlreadyExistsError
from connectory.v1 import control_pb2, execution_pb2
from tests.workflow_runner.control.flows import diamond
from tests.workflow_runner.control.harness import serving
from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.workflows import integer

Phase = execution_pb2.WorkflowExecution


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path / 'runner.db'}"


async def test_what_one_runs_the_other_tells_and_ends(store: str) -> None:
    plugin = FakePlugin({"top": ["hold"]})
    async with serving(store, plugin) as one, serving(store, FakePlugin()) as other:
        execution = await one.start(await one.register(diamond()), "shared", a=integer(1))
        await plugin.holding.wait()
        assert (await other.get(execution)).closure.phase == Phase.RUNNING
        nodes = await other.client.list_node_executions(
            control_pb2.NodeExecutionListRequest(workflow_execution_id=execution)
        )
        assert [node.id.node_id for node in nodes.node_executions] == ["top"]
        await other.client.terminate_execution(control_pb2.ExecutionTerminateRequest(id=execution, cause="enough"))
        assert (await other.ended(execution)).closure.phase == Phase.ABORTED
        assert (await one.ended(execution)).closure.abort_metadata.cause == "enough"


async def test_one_watches_what_the_other_runs(store: str) -> None:
    plugin = FakePlugin({"top": ["hold"]})
    async with serving(store, plugin) as one, serving(store, FakePlugin()) as other:
        execution = await one.start(await one.register(diamond()), a=integer(1))
        await plugin.holding.wait()
        watching = asyncio.create_task(other.ended(execution))
        plugin.release("top")
        assert (await watching).closure.phase == Phase.SUCCEEDED


async def test_a_name_is_given_once_however_many_ask(store: str) -> None:
    async with serving(store) as one, serving(store) as other:
        plan = await one.register(diamond())
        asked = (service.start(plan, "once", a=integer(1)) for service in (one, other, one, other))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
        assert all(isinstance(answer, AlreadyExistsError) for answer in answers if isinstance(answer, BaseException))
