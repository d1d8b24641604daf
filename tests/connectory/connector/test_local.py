"""Connector tasks in plain Python."""

import asyncio
from pathlib import Path

import pytest

from connectory.connector.contract import JobContext, LogLink, Phase, Resource
from connectory.connector.local import Progress, run_local
from connectory.connector.registry import Registry
from connectory.errors import ExecutionError, NotFoundError, UnavailableError, UserError
from connectory.testing import dispatching, task_call
from connectory.v1 import literals_pb2
from tests.connectory.connector.fakes import FakeConnector, FakeJob, FakeSyncConnector

TASK = task_call("fake", inputs={"x": 5}, outputs={"x": int})


class Scripted(FakeConnector):
    """Reports what it was given, one after another."""

    def __init__(self, *reports: Resource | Exception) -> None:
        super().__init__()
        self.reports = list(reports)
        self.polled = asyncio.Event()

    async def get(self, job: FakeJob, ctx: JobContext) -> Resource:
        self.polled.set()
        report = self.reports.pop(0) if len(self.reports) > 1 else self.reports[0]
        if isinstance(report, Exception):
            raise report
        return report


async def test_a_task_gives_its_outputs_and_tells_its_progress() -> None:
    told: list[Progress] = []
    link = LogLink(uri="http://logs", name="Logs")
    connector = Scripted(
        Resource(phase=Phase.QUEUED),
        Resource(phase=Phase.RUNNING, message="half"),
        Resource(phase=Phase.RUNNING, message="half"),
        Resource(phase=Phase.RUNNING, message="half", log_links=[link]),
        Resource(phase=Phase.SUCCEEDED, outputs={"x": 6}),
    )
    async with dispatching(connector) as dispatcher:
        outputs = await run_local(TASK.template, TASK.inputs, dispatcher=dispatcher, on_progress=told.append)
    assert outputs.literals["x"].scalar.primitive.integer == 6
    assert [(one.phase.name, one.message, len(one.log_links)) for one in told] == [
        ("QUEUED", "", 0),
        ("RUNNING", "half", 0),
        ("RUNNING", "half", 1),
        ("SUCCEEDED", "", 0),
    ]
    assert connector.system.deleted == 0


async def test_sync_connectors_run_as_well_and_a_registry_is_enough() -> None:
    registry, told = Registry(), []
    registry.register(FakeSyncConnector())
    task = task_call("fake_sync", inputs={"x": 5}, outputs={"x": int})
    outputs = await run_local(task.template, task.inputs, registry=registry, on_progress=told.append)
    assert outputs == task.inputs
    assert [one.phase for one in told] == [Phase.SUCCEEDED]


async def test_a_failed_task_says_why() -> None:
    async with dispatching(Scripted(Resource(phase=Phase.FAILED, message="no such table"))) as dispatcher:
        with pytest.raises(ExecutionError, match=r"tests\.task ended as FAILED: no such table"):
            await run_local(TASK.template, TASK.inputs, dispatcher=dispatcher)


async def test_cancelling_deletes_the_job_before_it_ends() -> None:
    connector = Scripted(Resource(phase=Phase.RUNNING))
    async with dispatching(connector) as dispatcher:
        run = asyncio.create_task(run_local(TASK.template, TASK.inputs, dispatcher=dispatcher))
        await connector.polled.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert connector.system.jobs == {}
        assert connector.system.deleted == 1


async def test_cancelling_during_create_leaves_no_job() -> None:
    connector = FakeConnector()
    connector.system.may_go_on.clear()
    async with dispatching(connector) as dispatcher:
        run = asyncio.create_task(run_local(TASK.template, TASK.inputs, dispatcher=dispatcher))
        await connector.system.reached.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        connector.system.may_go_on.set()
    assert connector.system.created == 1
    assert connector.system.jobs == {}


async def test_a_poll_that_fails_is_not_a_job_that_failed() -> None:
    connector = Scripted(UnavailableError("flaky"), Resource(phase=Phase.SUCCEEDED, outputs={"x": 1}))
    async with dispatching(connector) as dispatcher:
        outputs = await run_local(TASK.template, TASK.inputs, dispatcher=dispatcher)
    assert outputs.literals["x"].scalar.primitive.integer == 1


async def test_a_job_that_cannot_be_followed_is_deleted() -> None:
    connector = Scripted(UserError("no right to look"))
    async with dispatching(connector) as dispatcher:
        with pytest.raises(UserError, match="no right"):
            await run_local(TASK.template, TASK.inputs, dispatcher=dispatcher)
    assert connector.system.deleted == 1


async def test_outputs_that_the_job_wrote_itself_are_read(tmp_path: Path) -> None:
    literals = literals_pb2.LiteralMap()
    literals.literals["x"].scalar.primitive.integer = 8
    written = tmp_path / "outputs.pb"
    written.write_bytes(literals.SerializeToString())
    async with dispatching(Scripted(Resource(phase=Phase.SUCCEEDED))) as dispatcher:
        outputs = await run_local(TASK.template, TASK.inputs, dispatcher=dispatcher, output_prefix=str(tmp_path))
        assert outputs == literals
        written.unlink()
        with pytest.raises(ExecutionError, match=r"without its outputs \(x\)"):
            await run_local(TASK.template, TASK.inputs, dispatcher=dispatcher, output_prefix=str(tmp_path))


async def test_a_task_that_no_connector_does_is_told() -> None:
    with pytest.raises(NotFoundError, match="nothing@0"):
        await run_local(task_call("nothing").template, literals_pb2.LiteralMap(), registry=Registry())
