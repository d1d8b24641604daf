"""What can be asked about a job: how it stands, its log, its metrics, and that it ends."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from connectory.connector.contract import JobContext, JobError, LogLine, LogLink, LogPage, LogRequest, Phase, Resource
from connectory.connector.dispatch import Dispatcher
from connectory.errors import InternalError, InvalidTaskError, NotFoundError, UnsupportedError
from connectory.testing import TaskCall, dispatching, task_call
from connectory.types import File
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import execution_pb2, interface_pb2, literals_pb2
from tests.connectory.connector.fakes import FakeConnector, FakeJob, FakeSyncConnector

TASK = task_call("fake", inputs={"x": 1}, outputs={"x": int})


async def _created(dispatcher: Dispatcher, task: TaskCall = TASK) -> bytes:
    return (await dispatcher.create(task.create_request())).resource_meta


async def _reported(resource: Resource, task: TaskCall = TASK) -> pb.Resource:
    connector = FakeConnector()
    connector.next = resource
    async with dispatching(connector) as dispatcher:
        return (await dispatcher.get(task.get_request(await _created(dispatcher, task)))).resource


async def test_outputs_are_converted_by_the_interface_that_travels_in_the_handle() -> None:
    async with dispatching(FakeConnector()) as dispatcher:
        handle = await _created(dispatcher)
        resource = (await dispatcher.get(TASK.get_request(handle))).resource
    declared = interface_pb2.VariableMap.FromString(base64.b64decode(json.loads(handle)["outputs"]))
    assert list(declared.variables) == ["x"]
    assert resource.outputs.literals["x"].scalar.primitive.integer == 1


async def test_a_ready_literal_map_is_taken_as_it_is() -> None:
    literals = literals_pb2.LiteralMap()
    literals.literals["x"].scalar.primitive.integer = 9
    resource = await _reported(Resource(phase=Phase.SUCCEEDED, outputs=literals))
    assert resource.outputs == literals


@pytest.mark.parametrize(
    ("outputs", "named"), [({}, "x"), ({"x": 1, "surplus": 2}, "surplus"), ({"x": "text"}, "x"), ({"y": 1}, "y")]
)
async def test_outputs_that_are_not_as_declared_are_the_connectors_defect(
    outputs: dict[str, object], named: str
) -> None:
    with pytest.raises(InternalError, match=named) as failed:
        await _reported(Resource(phase=Phase.SUCCEEDED, outputs=outputs))
    assert failed.value.reason == "OUTPUT_MISMATCH"
    assert "Fake" in failed.value.message


async def test_outputs_are_not_read_before_the_job_succeeded() -> None:
    resource = await _reported(Resource(phase=Phase.RUNNING, outputs={"nonsense": object()}))
    assert not resource.HasField("outputs")


async def test_a_local_file_as_output_is_stored_at_the_output_prefix(tmp_path) -> None:  # type: ignore[no-untyped-def]
    source = tmp_path / "data.txt"
    source.write_text("content")
    task = TaskCall(
        template=task_call("fake", outputs={"f": File}).template,
        inputs=literals_pb2.LiteralMap(),
        output_prefix=str(tmp_path / "out"),
    )
    resource = await _reported(Resource(phase=Phase.SUCCEEDED, outputs={"f": File(str(source))}), task)
    uri = resource.outputs.literals["f"].scalar.blob.uri
    assert uri.startswith(str(tmp_path / "out"))


@pytest.mark.parametrize(
    ("phase", "state"),
    [
        (Phase.QUEUED, pb.PENDING),
        (Phase.INITIALIZING, pb.PENDING),
        (Phase.WAITING_FOR_RESOURCES, pb.PENDING),
        (Phase.RUNNING, pb.RUNNING),
        (Phase.SUCCEEDED, pb.SUCCEEDED),
        (Phase.FAILED, pb.PERMANENT_FAILURE),
        (Phase.ABORTED, pb.PERMANENT_FAILURE),
        (Phase.RETRYABLE_FAILED, pb.RETRYABLE_FAILURE),
    ],
)
async def test_old_clients_read_the_state(phase: Phase, state: int) -> None:
    resource = await _reported(Resource(phase=phase))
    assert (resource.phase, resource.state) == (phase.value, state)


@pytest.mark.parametrize("number", [0, 9, 77, -1])
async def test_a_phase_that_nobody_knows_means_running_and_is_logged_once(
    number: int, caplog: pytest.LogCaptureFixture
) -> None:
    connector = FakeConnector()
    connector.next = Resource(phase=number)
    async with dispatching(connector) as dispatcher:
        handle = await _created(dispatcher)
        for _ in range(3):
            resource = (await dispatcher.get(TASK.get_request(handle))).resource
            assert Phase(resource.phase) is Phase.RUNNING
    assert caplog.text.count("which nobody knows") == 1
    assert "Fake" in caplog.text


async def test_a_failure_is_told_to_programs_and_people() -> None:
    error = JobError(code="ExitCode", message="exit code 3", kind="system", recoverable=False)
    resource = await _reported(Resource(phase=Phase.FAILED, error=error))
    assert resource.agent_error.code == "ExitCode"
    assert resource.agent_error.origin == execution_pb2.ExecutionError.SYSTEM
    assert resource.agent_error.kind == pb.ConnectorError.NON_RECOVERABLE
    assert "exit code 3" in resource.message
    assert Phase(resource.phase) is Phase.FAILED


async def test_an_error_that_may_go_away_makes_the_failure_retryable() -> None:
    error = JobError(code="Evicted", recoverable=True)
    resource = await _reported(Resource(phase=Phase.FAILED, message="the node went away", error=error))
    assert Phase(resource.phase) is Phase.RETRYABLE_FAILED
    assert resource.state == pb.RETRYABLE_FAILURE
    assert resource.agent_error.kind == pb.ConnectorError.RECOVERABLE
    assert resource.message == "the node went away (Evicted)"


async def test_every_field_of_a_resource_arrives() -> None:
    resource = await _reported(
        Resource(
            phase=Phase.RUNNING,
            message="half",
            log_links=[LogLink(uri="http://a", name="A", ready=False)],
            custom_info={"n": 1, "deep": {"list": [None, True, 1.5, "s", []], "empty": {}}},
        )
    )
    assert resource.message == "half"
    assert resource.log_links[0] == execution_pb2.TaskLog(uri="http://a", name="A", ready=False)
    assert resource.custom_info["deep"]["list"][2] == 1.5
    assert "empty" in resource.custom_info["deep"]


async def test_custom_info_that_is_no_json_is_named_by_its_path() -> None:
    with pytest.raises(InternalError, match=r"custom_info\.a\[1\]\.when"):
        await _reported(Resource(phase=Phase.RUNNING, custom_info={"a": [1, {"when": datetime.now(UTC)}]}))


async def test_a_long_message_loses_its_middle() -> None:
    resource = await _reported(Resource(phase=Phase.FAILED, message=f"begin{'x' * 100_000}end"))
    assert len(resource.message) < 10_000
    assert resource.message.startswith("begin")
    assert resource.message.endswith("end")


async def test_get_tells_the_connector_where_outputs_belong_and_how_long_there_is_time() -> None:
    connector = FakeConnector()
    until = datetime.now(UTC) + timedelta(seconds=5)
    async with dispatching(connector) as dispatcher:
        request = TASK.get_request(await _created(dispatcher))
        request.output_prefix = "memory://out"
        await dispatcher.get(request, deadline=until)
    context = connector.contexts[-1]
    assert (context.output_prefix, context.deadline) == ("memory://out", until)


async def test_an_unknown_job_is_not_found_and_deleting_it_is_no_error() -> None:
    async with dispatching(FakeConnector()) as dispatcher:
        handle = await _created(dispatcher)
        await dispatcher.delete(TASK.delete_request(handle))
        await dispatcher.delete(TASK.delete_request(handle))
        with pytest.raises(NotFoundError, match="job-1"):
            await dispatcher.get(TASK.get_request(handle))


async def test_a_handle_of_another_category_is_refused() -> None:
    class Other(FakeConnector):
        task_type = "other"

    async with dispatching(FakeConnector(), Other()) as dispatcher:
        handle = await _created(dispatcher)
        with pytest.raises(InvalidTaskError, match="fake@0"):
            await dispatcher.get(pb.GetTaskRequest(task_type="other", resource_meta=handle))


async def test_a_handle_whose_outputs_cannot_be_read_is_refused() -> None:
    async with dispatching(FakeConnector()) as dispatcher:
        changed = {**json.loads(await _created(dispatcher)), "outputs": base64.b64encode(b"\xff\xff").decode()}
        del changed["check"]
        with pytest.raises(InvalidTaskError, match="declares outputs"):
            await dispatcher.get(TASK.get_request(json.dumps(changed).encode()))


async def test_an_unknown_category_lists_what_exists() -> None:
    async with dispatching(FakeConnector(), FakeSyncConnector()) as dispatcher:
        with pytest.raises(NotFoundError, match=r"nothing@0.*fake@0, fake_sync@0"):
            await dispatcher.create(task_call("nothing").create_request())
        with pytest.raises(NotFoundError, match=r"fake@3.*registered are: fake@0$"):
            await dispatcher.create(task_call("fake", version=3).create_request())
        with pytest.raises(NotFoundError, match="names no task category"):
            await dispatcher.get(pb.GetTaskRequest(resource_meta=b"{}"))


async def test_logs_come_as_lines_followed_by_the_token_that_resumes_after_them() -> None:
    async with dispatching(FakeConnector()) as dispatcher:
        handle = await _created(dispatcher)
        answers = [answer async for answer in dispatcher.logs(TASK.logs_request(handle))]
        resumed = [answer async for answer in dispatcher.logs(TASK.logs_request(handle, token="4"))]
    assert [answer.WhichOneof("part") for answer in answers] == ["body", "header"] * 3
    assert list(answers[0].body.results) == ["line 0", "line 1"]
    assert answers[1].header.token == "2"
    assert list(resumed[0].body.results) == ["line 4"]


class BlockingLogs(FakeConnector):
    """Reads its log with a plain generator."""

    def logs(self, job: FakeJob, request: LogRequest, ctx: JobContext) -> Iterator[LogPage]:  # type: ignore[override]
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        yield LogPage(lines=[LogLine(message="a", timestamp=moment, origin="system")], token="1")
        yield LogPage(lines=[], token="2")


async def test_logs_may_be_a_plain_generator() -> None:
    async with dispatching(BlockingLogs()) as dispatcher:
        handle = await _created(dispatcher)
        answers = [answer async for answer in dispatcher.logs(TASK.logs_request(handle))]
    (line,) = answers[0].body.structured_lines
    assert (line.message, line.originator, line.timestamp.seconds) == ("a", pb.SYSTEM, 1_767_225_600)
    assert [answer.header.token for answer in answers[1:]] == ["1", "2"]


class FailingLogs(FakeConnector):
    """Loses its log after the first page."""

    async def logs(self, job: FakeJob, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        yield LogPage(lines=[LogLine(message="a")], token="1")
        raise NotFoundError("the log was removed")


async def test_a_log_that_fails_half_way_says_so_after_what_it_had() -> None:
    async with dispatching(FailingLogs()) as dispatcher:
        handle = await _created(dispatcher)
        answers = dispatcher.logs(TASK.logs_request(handle))
        assert [(await anext(answers)).WhichOneof("part") for _ in range(2)] == ["body", "header"]
        with pytest.raises(NotFoundError, match="removed"):
            await anext(answers)


async def test_metrics_are_answered_by_query() -> None:
    async with dispatching(FakeConnector()) as dispatcher:
        handle = await _created(dispatcher)
        request = pb.GetTaskMetricsRequest(task_type="fake", resource_meta=handle, queries=["cpu", "memory"])
        response = await dispatcher.metrics(request)
    assert [result.metric for result in response.results] == ["cpu", "memory"]
    assert list(response.results[0].data["values"]) == [1, 2.5]


async def test_what_a_connector_does_not_offer_is_said() -> None:
    class Plain(FakeConnector):
        logs = FakeConnector.__mro__[1].logs  # type: ignore[attr-defined]
        metrics = FakeConnector.__mro__[1].metrics  # type: ignore[attr-defined]

    async with dispatching(Plain()) as dispatcher:
        handle = await _created(dispatcher)
        with pytest.raises(UnsupportedError, match="offers no metrics"):
            await dispatcher.metrics(pb.GetTaskMetricsRequest(task_type="fake", resource_meta=handle))
        with pytest.raises(UnsupportedError, match="offers no logs"):
            _ = [answer async for answer in dispatcher.logs(TASK.logs_request(handle))]


async def test_when_to_ask_again_is_told_until_the_job_ends() -> None:
    going = await _reported(Resource(phase=Phase.RUNNING, poll_after=timedelta(seconds=1.5)))
    assert going.poll_after.ToTimedelta() == timedelta(seconds=1.5)
    assert not (await _reported(Resource(phase=Phase.RUNNING))).HasField("poll_after")
    ended = await _reported(Resource(phase=Phase.SUCCEEDED, poll_after=timedelta(seconds=1)))
    assert not ended.HasField("poll_after")
