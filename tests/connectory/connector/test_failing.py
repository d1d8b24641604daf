"""What leaves the service when something fails, and what never does."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator

import pytest

from connectory.connector.contract import (
    CreateContext,
    JobContext,
    JobError,
    LogLine,
    LogLink,
    LogPage,
    LogRequest,
    Phase,
    Resource,
    SyncConnector,
    TaskCategory,
)
from connectory.errors import (
    ConnectorError,
    InternalError,
    InvalidTaskError,
    StorageError,
    TypeConversionError,
    UnavailableError,
    UserError,
)
from connectory.storage import ObjectNotFoundError
from connectory.testing import FakeSecrets, dispatching, task_call
from tests.connectory.connector.fakes import FakeConfig, FakeConnector, FakeJob

TASK = task_call("fake")
SECRET = "correct horse battery"


class Raising(FakeConnector):
    """Raises what it is given."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    async def create(self, ctx: CreateContext[FakeConfig]) -> FakeJob:
        raise self.error


async def _failure(error: BaseException) -> ConnectorError:
    async with dispatching(Raising(error)) as dispatcher:
        with pytest.raises(ConnectorError) as failed:
            await dispatcher.create(TASK.create_request("k"))
        return failed.value


async def test_a_defect_is_logged_under_an_id_and_only_the_id_is_told(caplog: pytest.LogCaptureFixture) -> None:
    failure = await _failure(KeyError("the value of a customer"))
    assert isinstance(failure, InternalError)
    assert "customer" not in failure.message
    assert "Traceback" not in failure.message
    identifier = failure.message.partition("error id ")[2].rstrip(")")
    assert len(identifier) == 8
    logged = next(record.getMessage() for record in caplog.records if identifier in record.getMessage())
    assert "Traceback" in logged
    assert "the value of a customer" in logged


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TypeConversionError("not an int", path="x"), InvalidTaskError),
        (ObjectNotFoundError("s3://b/k is not there"), UserError),
        (StorageError("s3://b cannot be used"), UnavailableError),
        (UserError("as it is"), UserError),
    ],
)
async def test_known_errors_say_who_must_act(error: Exception, expected: type[ConnectorError]) -> None:
    failure = await _failure(error)
    assert type(failure) is expected
    assert str(error).split()[0] in failure.message


class _Exits(SyncConnector[FakeConfig]):
    task_type = "exits"

    async def execute(self, ctx: CreateContext[FakeConfig]) -> Resource:
        sys.exit("as a command line parser does")


class _ExitsOnAThread(_Exits):
    def execute(self, ctx: CreateContext[FakeConfig]) -> Resource:
        sys.exit("as a command line parser does")


async def test_a_connector_that_exits_while_it_creates_ends_its_call_only() -> None:
    failure = await _failure(SystemExit(2))
    assert isinstance(failure, InternalError)
    assert "SystemExit" in failure.message


async def test_a_connector_whose_work_was_cancelled_by_nobody_who_called_is_answered() -> None:
    """Such as one that waits for a task which another of its calls has cancelled."""
    failure = await _failure(asyncio.CancelledError())
    assert isinstance(failure, InternalError)
    assert "CancelledError" in failure.message


@pytest.mark.parametrize("connector", [_Exits(), _ExitsOnAThread()])
async def test_a_connector_that_exits_ends_its_call_only(connector: _Exits) -> None:
    task = task_call("exits")
    async with dispatching(connector) as dispatcher:
        with pytest.raises(InternalError, match="SystemExit"):
            _ = [answer async for answer in dispatcher.execute(task.header(), task.inputs)]


async def test_cancellation_of_the_connector_is_no_failure() -> None:
    class Slow(FakeConnector):
        async def get(self, job: FakeJob, ctx: JobContext) -> Resource:
            self.system.reached.set()
            await asyncio.Event().wait()
            raise AssertionError

    connector = Slow()
    async with dispatching(connector) as dispatcher:
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        connector.system.reached.clear()
        call = asyncio.create_task(dispatcher.get(TASK.get_request(handle)))
        await connector.system.reached.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_a_missing_secret_is_named_by_its_reference() -> None:
    class Needy(FakeConnector):
        async def create(self, ctx: CreateContext[FakeConfig]) -> FakeJob:
            return FakeJob(job_id=ctx.secrets.get("API_TOKEN"))

    async with dispatching(Needy()) as dispatcher:
        with pytest.raises(UserError, match="API_TOKEN") as failed:
            await dispatcher.create(TASK.create_request())
    assert failed.value.reason == "MISSING_SECRET"


class Leaky(FakeConnector):
    """Puts its secret wherever it can."""

    async def create(self, ctx: CreateContext[FakeConfig]) -> FakeJob:
        self.secret = ctx.secrets.get("PASSWORD")
        ctx.logger.warning("signing in with %s", self.secret)
        return FakeJob(job_id="1")

    async def get(self, job: FakeJob, ctx: JobContext) -> Resource:
        return Resource(
            phase=Phase.FAILED,
            message=f"cannot sign in with {self.secret}",
            log_links=[LogLink(uri=f"http://x?p={self.secret}", name=self.secret)],
            custom_info={"url": [f"db://u:{self.secret}@h"]},
            error=JobError(code=self.secret, message=self.secret),
        )

    async def delete(self, job: FakeJob, ctx: JobContext) -> None:
        raise UserError(f"bad {self.secret}", fields={"custom.password": self.secret})

    async def find(self, key: str, ctx: CreateContext[FakeConfig]) -> FakeJob | None:
        raise AssertionError

    async def logs(self, job: FakeJob, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        yield LogPage(lines=[LogLine(message=f"PASSWORD={self.secret}")], token="")

    async def check(self) -> None:
        raise RuntimeError(f"no {self.secret}")


async def test_a_secret_that_was_read_is_in_nothing_that_leaves(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with dispatching(Leaky(), secrets=FakeSecrets({"PASSWORD": SECRET})) as dispatcher:
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        resource = (await dispatcher.get(TASK.get_request(handle))).resource
        lines = [answer async for answer in dispatcher.logs(TASK.logs_request(handle))]
        with pytest.raises(UserError) as refused:
            await dispatcher.delete(TASK.delete_request(handle))
        with pytest.raises(InternalError) as defect:
            await dispatcher.check(TaskCategory("fake"))
    said = f"{resource} {lines} {refused.value!r} {refused.value.message} {refused.value.fields} {defect.value}"
    assert SECRET not in said
    assert SECRET not in caplog.text
    assert resource.message == "cannot sign in with ***"
    assert "signing in with ***" in caplog.text
    assert "no ***" in caplog.text


async def test_a_secret_that_came_with_the_request_is_taken_out_too() -> None:
    request = TASK.create_request()
    request.connection.secrets["token"] = SECRET
    async with dispatching(Raising(UserError(f"refused: {SECRET}"))) as dispatcher:
        with pytest.raises(UserError) as failed:
            await dispatcher.create(request)
    assert failed.value.message == "refused: ***"


async def test_a_secret_in_a_handle_is_reported_to_the_operator(caplog: pytest.LogCaptureFixture) -> None:
    class Careless(FakeConnector):
        async def create(self, ctx: CreateContext[FakeConfig]) -> FakeJob:
            return FakeJob(job_id=ctx.secrets.get("PASSWORD"))

    async with dispatching(Careless(), secrets=FakeSecrets({"PASSWORD": SECRET})) as dispatcher:
        await dispatcher.create(TASK.create_request())
    assert "hold a secret" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("answer", [None, "job-1", {"job_id": "1"}])
async def test_an_answer_of_the_wrong_kind_is_the_connectors_defect(answer: object) -> None:
    class Wrong(FakeConnector):
        async def create(self, ctx: CreateContext[FakeConfig]) -> FakeJob:
            return answer  # type: ignore[return-value]

    async with dispatching(Wrong()) as dispatcher:
        with pytest.raises(InternalError, match="FakeJob"):
            await dispatcher.create(TASK.create_request())
