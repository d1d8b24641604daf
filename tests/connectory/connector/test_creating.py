"""Create happens once per key, and never half-way."""

import asyncio
import threading

import pytest

from connectory.connector.contract import CreateContext, JobContext, Resource
from connectory.errors import AlreadyExistsError, InvalidTaskError, UnavailableError
from connectory.testing import dispatching, task_call
from connectory.v1 import connector_pb2 as pb
from tests.connectory.connector.fakes import FakeConfig, FakeConnector, FakeJob

TASK = task_call("fake", inputs={"x": 1}, outputs={"x": int})


async def test_callers_of_one_key_at_the_same_time_share_one_create() -> None:
    connector = FakeConnector()
    connector.system.may_go_on.clear()
    async with dispatching(connector) as dispatcher:
        calls = [asyncio.create_task(dispatcher.create(TASK.create_request("k"))) for _ in range(50)]
        await connector.system.reached.wait()
        connector.system.may_go_on.set()
        handles = {(await call).resource_meta for call in calls}
    assert len(handles) == 1
    assert connector.system.created == 1


async def test_the_key_is_derived_from_execution_node_and_attempt() -> None:
    connector = FakeConnector()
    async with dispatching(connector) as dispatcher:
        for attempt in (0, 0, 1):
            request = TASK.create_request()
            execution = request.task_execution_metadata.task_execution_id
            execution.node_execution_id.execution_id.name = "f1"
            execution.node_execution_id.node_id = "n0"
            execution.retry_attempt = attempt
            await dispatcher.create(request)
    assert connector.system.created == 2


@pytest.mark.parametrize(("execution", "node"), [("", "n0"), ("f1", ""), ("", "")])
async def test_without_execution_and_node_every_create_is_new(execution: str, node: str) -> None:
    connector = FakeConnector()
    request = TASK.create_request()
    names = request.task_execution_metadata.task_execution_id.node_execution_id
    names.execution_id.name, names.node_id = execution, node
    async with dispatching(connector) as dispatcher:
        await dispatcher.create(request)
        await dispatcher.create(request)
    assert connector.system.created == 2
    keys = {ctx.idempotency_key for ctx in connector.contexts if isinstance(ctx, CreateContext)}
    assert len(keys) == 2
    assert "" not in keys


@pytest.mark.parametrize("part", ["template", "inputs", "output_prefix"])
async def test_another_request_with_the_same_key_is_told_what_differs(part: str) -> None:
    other = TASK.create_request("k")
    if part == "template":
        other.template.id.name = "another"
    elif part == "inputs":
        other.inputs.literals["x"].scalar.primitive.integer = 2
    else:
        other.output_prefix = "s3://elsewhere"
    async with dispatching(FakeConnector()) as dispatcher:
        await dispatcher.create(TASK.create_request("k"))
        with pytest.raises(AlreadyExistsError) as refused:
            await dispatcher.create(other)
    assert list(refused.value.fields) == [part]


async def test_a_keyed_create_whose_caller_went_away_is_finished_and_remembered() -> None:
    connector = FakeConnector()
    connector.system.may_go_on.clear()
    async with dispatching(connector) as dispatcher:
        call = asyncio.create_task(dispatcher.create(TASK.create_request("k")))
        await connector.system.reached.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        connector.system.may_go_on.set()
        await dispatcher.create(TASK.create_request("k"))
        assert connector.system.created == 1
        assert connector.system.deleted == 0


async def test_a_create_that_nobody_can_ask_for_again_is_finished_and_its_job_deleted() -> None:
    connector = FakeConnector()
    connector.system.may_go_on.clear()
    async with dispatching(connector) as dispatcher:
        call = asyncio.create_task(dispatcher.create(TASK.create_request()))
        await connector.system.reached.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        connector.system.may_go_on.set()
    assert connector.system.created == 1
    assert connector.system.jobs == {}


async def test_closing_waits_for_the_creates_under_way() -> None:
    connector = FakeConnector()
    connector.system.may_go_on.clear()
    async with dispatching(connector) as dispatcher:
        call = asyncio.create_task(dispatcher.create(TASK.create_request("k")))
        await connector.system.reached.wait()
        asyncio.get_running_loop().call_soon(connector.system.may_go_on.set)
    assert (await call).resource_meta


async def test_closing_gives_up_a_create_that_does_not_end(caplog: pytest.LogCaptureFixture) -> None:
    connector = FakeConnector()
    connector.system.may_go_on.clear()
    async with dispatching(connector) as dispatcher:
        call = asyncio.create_task(dispatcher.create(TASK.create_request("k")))
        await connector.system.reached.wait()
        await dispatcher.aclose(timeout=0)
        assert "given up" in caplog.text
        connector.system.may_go_on.set()
        await call


async def test_a_failed_create_may_be_tried_again_with_the_same_key() -> None:
    class Flaky(FakeConnector):
        async def create(self, ctx: CreateContext[FakeConfig]) -> FakeJob:
            self.contexts.append(ctx)
            if len(self.contexts) == 1:
                raise UnavailableError("come back later")
            return await super().create(ctx)

    async with dispatching(Flaky()) as dispatcher:
        with pytest.raises(UnavailableError, match="later"):
            await dispatcher.create(TASK.create_request("k"))
        assert (await dispatcher.create(TASK.create_request("k"))).resource_meta


async def test_inputs_that_do_not_fit_never_reach_the_connector() -> None:
    connector = FakeConnector()
    async with dispatching(connector) as dispatcher:
        missing = TASK.create_request()
        del missing.inputs.literals["x"]
        wrong = TASK.create_request()
        wrong.inputs.literals["x"].scalar.primitive.string_value = "text"
        for request in (missing, wrong):
            with pytest.raises(InvalidTaskError, match="x"):
                await dispatcher.create(request)
    assert connector.contexts == []


async def test_the_context_carries_what_the_request_says() -> None:
    connector = FakeConnector()
    request = TASK.create_request("k")
    request.output_prefix = "memory://out"
    request.template.custom.update({"size": 4, "ratio": 2, "names": ["a"]})
    request.connection.configs["host"] = "db"
    request.connection.secrets["password"] = "hunter2"
    request.task_execution_metadata.labels["team"] = "data"
    async with dispatching(connector) as dispatcher:
        await dispatcher.create(request)
    (ctx,) = connector.contexts
    assert isinstance(ctx, CreateContext)
    assert ctx.config == FakeConfig(size=4, ratio=2, names=["a"])
    assert ctx.inputs == {"x": 1}
    assert (ctx.output_prefix, ctx.idempotency_key, str(ctx.category)) == ("memory://out", "k", "fake@0")
    assert ctx.conversion.raw_output_prefix == "memory://out"
    assert ctx.secrets.get("password") == "hunter2"
    assert ctx.connection is not None
    assert ctx.connection.configs["host"] == "db"
    assert ctx.metadata.labels["team"] == "data"


async def test_old_clients_name_only_the_task_type() -> None:
    connector = FakeConnector()
    async with dispatching(connector) as dispatcher:
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        await dispatcher.get(pb.GetTaskRequest(task_type="fake", resource_meta=handle))
        await dispatcher.delete(pb.DeleteTaskRequest(task_type="fake", resource_meta=handle))
    assert connector.system.deleted == 1


async def test_methods_written_as_plain_functions_run_on_the_connectors_own_threads() -> None:
    seen: list[str] = []

    class Blocking(FakeConnector):
        name = "Blocking"

        def create(self, ctx: CreateContext[FakeConfig]) -> FakeJob:  # type: ignore[override]
            seen.append(threading.current_thread().name)
            return FakeJob(job_id="1")

        def get(self, job: FakeJob, ctx: JobContext) -> Resource:  # type: ignore[override]
            seen.append(threading.current_thread().name)
            return Resource(phase=2)

    async with dispatching(Blocking()) as dispatcher:
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        await dispatcher.get(TASK.get_request(handle))
    assert all(name.startswith("Blocking-") for name in seen)
