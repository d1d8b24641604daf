"""The shipped suites, tried on connectors that break the contract: each defect fails the test that is about it."""

from collections.abc import AsyncIterator

import pytest

from connectory.connector.contract import CreateContext, JobContext, LogLine, LogPage, LogRequest, Phase, Resource
from connectory.errors import UserError
from connectory.testing import AsyncConnectorSuite, FakeSecrets, task_call
from tests.connectory.connector.fakes import FakeConfig, FakeConnector, FakeJob

TASK = task_call("fake", inputs={"x": 1}, outputs={"x": int})


class DeletesOnce(FakeConnector):
    """Fails when it is asked to delete again."""

    async def delete(self, job: FakeJob, ctx: JobContext) -> None:
        if job.job_id not in self.system.jobs:
            raise UserError("there is no such job")
        await super().delete(job, ctx)


class ForgetsItsJobs(FakeConnector):
    """Keeps in the instance what belongs into the handle."""

    async def get(self, job: FakeJob, ctx: JobContext) -> Resource:
        assert [ctx for ctx in self.contexts if isinstance(ctx, CreateContext)], "who is that?"
        return await super().get(job, ctx)


class FindsSomething(FakeConnector):
    """Takes any job for the one that is looked for."""

    async def find(self, key: str, ctx: CreateContext[FakeConfig]) -> FakeJob | None:
        return FakeJob(job_id="some")


class TellsSecrets(FakeConnector):
    """Puts a secret into the handle."""

    async def create(self, ctx: CreateContext[FakeConfig]) -> FakeJob:
        return FakeJob(job_id=ctx.secrets.get("PASSWORD"))


class NeverSeesTheEnd(FakeConnector):
    """Says that deleted jobs are running."""

    async def get(self, job: FakeJob, ctx: JobContext) -> Resource:
        return Resource(phase=Phase.RUNNING) if job.job_id not in self.system.jobs else await super().get(job, ctx)


class RepeatsLines(FakeConnector):
    """Begins every page from the first line."""

    async def logs(self, job: FakeJob, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        lines = [LogLine(message=f"line {number}") for number in range(3)][: request.lines]
        yield LogPage(lines=lines, token="next")


class Impatient(AsyncConnectorSuite):
    time_limit = 0.2


@pytest.mark.parametrize(
    ("connector", "test"),
    [
        (DeletesOnce, "test_deleting_a_job_twice_is_no_error"),
        (ForgetsItsJobs, "test_a_restarted_server_finds_the_job_by_its_handle"),
        (FindsSomething, "test_a_key_that_was_never_used_finds_nothing"),
        (TellsSecrets, "test_the_handle_is_readable_json_without_secrets"),
        (NeverSeesTheEnd, "test_a_deleted_job_has_ended_or_is_unknown"),
        (RepeatsLines, "test_the_log_goes_on_where_it_was_left"),
    ],
)
async def test_a_defect_is_caught(connector: type[FakeConnector], test: str) -> None:
    shared = FakeConnector().system
    secrets = FakeSecrets({"PASSWORD": "correct horse"})
    with pytest.raises((Exception, pytest.fail.Exception)):
        await getattr(Impatient(), test)(lambda: connector(shared), TASK, secrets)


async def test_the_same_tests_pass_without_the_defect() -> None:
    for name in (name for name in vars(AsyncConnectorSuite) if name.startswith("test_")):
        if name not in ("test_a_job_that_never_existed", "test_a_handle_that_is_none_is_refused"):
            shared = FakeConnector().system
            await getattr(Impatient(), name)(lambda shared=shared: FakeConnector(shared), TASK, FakeSecrets())
