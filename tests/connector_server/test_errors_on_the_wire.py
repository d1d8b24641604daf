"""Every way to call wrongly has its own status, reason and sentence, as a caller receives them."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2

from connectory.connector.contract import LogLine, LogLink, LogPage, Phase, Resource
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import interface_pb2, literals_pb2, types_pb2
from tests.connector_server.fakes import (
    ChattyConnector,
    FailingConnector,
    TrivialConnector,
    TrivialSyncConnector,
)
from tests.connector_server.harness import (
    Peer,
    create_request,
    error_info,
    execute_messages,
    serving,
    status_of,
    template,
)

Code = grpc.StatusCode
CREATE = "/connectory.v1.AsyncConnectorService/CreateTask"
EXECUTE = "/connectory.v1.SyncConnectorService/ExecuteTaskSync"
NOT_PROTOBUF = b"\x0a\xff\xff\xff\xff"


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with serving(TrivialConnector(), TrivialSyncConnector(), FailingConnector(), ChattyConnector()) as one:
        yield one


def assert_error(error: grpc.aio.AioRpcError, code: grpc.StatusCode, reason: str, *words: str) -> None:
    assert error.code() is code, error
    assert error_info(error).reason == reason
    assert status_of(error).code == code.value[0]
    for word in words:
        assert word in error.details()


async def execute_raw(peer: Peer, *messages: bytes) -> list[bytes]:
    return [answer async for answer in peer.channel.stream_stream(EXECUTE)(iter(messages))]


async def execute(peer: Peer, *messages: pb.ExecuteTaskSyncRequest) -> list[bytes]:
    return await execute_raw(peer, *(message.SerializeToString() for message in messages))


@pytest.mark.parametrize("operation", ["CreateTask", "GetTask", "DeleteTask", "GetTaskMetrics"])
async def test_a_request_that_is_no_protobuf(peer: Peer, operation: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await peer.channel.unary_unary(f"/connectory.v1.AsyncConnectorService/{operation}")(NOT_PROTOBUF)
    assert_error(caught.value, Code.INVALID_ARGUMENT, "MALFORMED_MESSAGE", f"connectory.v1.{operation}Request")


async def test_a_log_request_that_is_no_protobuf(peer: Peer) -> None:
    call = peer.channel.unary_stream("/connectory.v1.AsyncConnectorService/GetTaskLogs")(NOT_PROTOBUF)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert_error(caught.value, Code.INVALID_ARGUMENT, "MALFORMED_MESSAGE", "GetTaskLogsRequest")


async def test_a_stream_message_that_is_no_protobuf(peer: Peer) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await execute_raw(peer, NOT_PROTOBUF)
    assert_error(caught.value, Code.INVALID_ARGUMENT, "MALFORMED_MESSAGE", "ExecuteTaskSyncRequest")


async def test_a_later_stream_message_that_is_no_protobuf(peer: Peer) -> None:
    header = execute_messages(template("trivial_sync"))[0].SerializeToString()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await execute_raw(peer, header, NOT_PROTOBUF)
    assert_error(caught.value, Code.INVALID_ARGUMENT, "MALFORMED_MESSAGE", "ExecuteTaskSyncRequest")


async def test_an_unknown_task_type_is_told_what_exists(peer: Peer) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await peer.jobs.CreateTask(create_request("nothing"))
    assert_error(caught.value, Code.NOT_FOUND, "UNKNOWN_CATEGORY", "nothing@0", "trivial@0")


async def test_a_sync_connector_called_as_an_async_one(peer: Peer) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await peer.jobs.CreateTask(create_request("trivial_sync"))
    assert caught.value.code() is Code.UNIMPLEMENTED
    assert "ExecuteTaskSync" in caught.value.details()


async def test_an_async_connector_called_as_a_sync_one(peer: Peer) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await execute(peer, *execute_messages(template("trivial")))
    assert caught.value.code() is Code.UNIMPLEMENTED
    assert "CreateTask" in caught.value.details()


async def test_an_operation_that_the_connector_does_not_offer(peer: Peer) -> None:
    handle = (await peer.jobs.CreateTask(create_request("trivial"))).resource_meta
    request = pb.GetTaskMetricsRequest(task_category=pb.TaskCategory(name="trivial"), resource_meta=handle)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await peer.jobs.GetTaskMetrics(request)
    assert caught.value.code() is Code.UNIMPLEMENTED
    assert "metrics" in caught.value.details()


@pytest.mark.parametrize("handle", [b"", b"\x80\x04garbage", b"{}", b"[1]"])
@pytest.mark.parametrize("operation", ["GetTask", "DeleteTask"])
async def test_a_handle_that_cannot_be_decoded(peer: Peer, operation: str, handle: bytes) -> None:
    request_class = {"GetTask": pb.GetTaskRequest, "DeleteTask": pb.DeleteTaskRequest}[operation]
    request = request_class(task_category=pb.TaskCategory(name="trivial"), resource_meta=handle)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await getattr(peer.jobs, operation)(request)
    assert_error(caught.value, Code.INVALID_ARGUMENT, "INVALID_HANDLE", "handle")


async def test_a_handle_of_another_connector(peer: Peer) -> None:
    handle = (await peer.jobs.CreateTask(create_request("trivial"))).resource_meta
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await peer.jobs.GetTask(pb.GetTaskRequest(task_category=pb.TaskCategory(name="chatty"), resource_meta=handle))
    assert_error(caught.value, Code.INVALID_ARGUMENT, "INVALID_HANDLE", "trivial@0", "chatty@0")


async def test_a_stream_whose_first_message_is_no_header(peer: Peer) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await execute(peer, pb.ExecuteTaskSyncRequest(inputs=literals_pb2.LiteralMap()))
    assert_error(caught.value, Code.INVALID_ARGUMENT, "MISSING_HEADER", "send the header first")


async def test_a_stream_that_is_closed_before_anything_was_sent(peer: Peer) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await execute(peer)
    assert_error(caught.value, Code.INVALID_ARGUMENT, "STREAM_CLOSED_EARLY", "closed before its first message")


async def test_a_stream_with_two_headers(peer: Peer) -> None:
    header = execute_messages(template("trivial_sync"))[0]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await execute(peer, header, header)
    assert_error(caught.value, Code.INVALID_ARGUMENT, "REPEATED_HEADER", "second header")


async def test_a_stream_message_without_a_part(peer: Peer) -> None:
    header = execute_messages(template("trivial_sync"))[0]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await execute(peer, header, pb.ExecuteTaskSyncRequest())
    assert_error(caught.value, Code.INVALID_ARGUMENT, "EMPTY_MESSAGE", "neither header nor inputs")


def interface_with_int() -> interface_pb2.TypedInterface:
    integer = interface_pb2.Variable(type=types_pb2.LiteralType(simple=types_pb2.INTEGER))
    return interface_pb2.TypedInterface(inputs=interface_pb2.VariableMap(variables={"count": integer}))


def text_inputs(**values: str) -> literals_pb2.LiteralMap:
    def literal(text: str) -> literals_pb2.Literal:
        return literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(string_value=text)))

    return literals_pb2.LiteralMap(literals={name: literal(text) for name, text in values.items()})


@pytest.mark.parametrize(("inputs", "named"), [({"count": "seven"}, "count"), ({}, "count"), ({"other": "x"}, "other")])
async def test_inputs_that_do_not_fit_the_interface(peer: Peer, inputs: dict[str, str], named: str) -> None:
    messages = execute_messages(template("trivial_sync", interface=interface_with_int()), text_inputs(**inputs))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await execute(peer, *messages)
    assert caught.value.code() is Code.INVALID_ARGUMENT
    assert named in caught.value.details()

    request = pb.CreateTaskRequest(
        template=template("trivial", interface=interface_with_int()), inputs=text_inputs(**inputs)
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await peer.jobs.CreateTask(request)
    assert caught.value.code() is Code.INVALID_ARGUMENT
    assert named in caught.value.details()


async def test_a_message_over_the_limit_is_refused_with_both_sizes() -> None:
    async with serving(TrivialConnector(), max_message_bytes=4096) as peer:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await peer.jobs.CreateTask(create_request("trivial", {"text": "x" * 10_000}))
        assert caught.value.code() is Code.RESOURCE_EXHAUSTED
        assert "larger than max" in caught.value.details()
        assert "4096" in caught.value.details()
        assert (await peer.jobs.CreateTask(create_request("trivial"))).resource_meta


async def test_twenty_megabytes_pass_by_default(peer: Peer) -> None:
    assert (await peer.jobs.CreateTask(create_request("trivial", {"text": "x" * 20_000_000}))).resource_meta


async def test_an_answer_over_the_limit_is_refused_with_both_sizes() -> None:
    async with serving(ChattyConnector(), max_message_bytes=4096) as peer:
        handle = (await peer.jobs.CreateTask(create_request("chatty"))).resource_meta
        request = pb.GetTaskMetricsRequest(
            task_category=pb.TaskCategory(name="chatty"), resource_meta=handle, queries=["m"] * 900
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await peer.jobs.GetTaskMetrics(request)
        assert caught.value.code() is Code.RESOURCE_EXHAUSTED
        assert "4096" in caught.value.details()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("UserError", Code.FAILED_PRECONDITION),
        ("InvalidTaskError", Code.INVALID_ARGUMENT),
        ("NotFoundError", Code.NOT_FOUND),
        ("UnsupportedError", Code.UNIMPLEMENTED),
        ("AlreadyExistsError", Code.ALREADY_EXISTS),
        ("UnauthenticatedError", Code.UNAUTHENTICATED),
        ("PermissionDeniedError", Code.PERMISSION_DENIED),
        ("RateLimitedError", Code.RESOURCE_EXHAUSTED),
        ("UnavailableError", Code.UNAVAILABLE),
        ("DeadlineExceededError", Code.DEADLINE_EXCEEDED),
        ("AmbiguousError", Code.ABORTED),
        ("InternalError", Code.INTERNAL),
    ],
)
async def test_each_error_of_a_connector_has_its_status(peer: Peer, error: str, code: grpc.StatusCode) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await peer.jobs.CreateTask(create_request("failing", {"error": error}))
    assert caught.value.code() is code
    assert error_info(caught.value).reason


async def test_how_long_to_wait_travels_along(peer: Peer) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await peer.jobs.CreateTask(create_request("failing", {"error": "RateLimitedError"}))
    retry = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(retry) for detail in status_of(caught.value).details)
    assert retry.retry_delay.seconds == 7


async def test_an_unexpected_exception_tells_an_id_and_nothing_else(
    peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await peer.jobs.CreateTask(create_request("failing", {"error": "unexpected"}))
    assert caught.value.code() is Code.INTERNAL
    everything = repr(caught.value) + str(status_of(caught.value))
    assert "hunter2" not in everything
    assert "Traceback" not in everything
    assert "KeyError" in caplog.text


@pytest.mark.parametrize("error", ["exit", "cancelled"])
async def test_a_connector_that_exits_or_cancels_itself_ends_its_own_call_with_an_answer(
    peer: Peer, error: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await peer.jobs.CreateTask(create_request("failing", {"error": error}), timeout=20)
    assert caught.value.code() is Code.INTERNAL
    assert "error id" in caught.value.details()
    assert "hunter2" not in repr(caught.value) + str(status_of(caught.value))
    assert (await peer.jobs.CreateTask(create_request("trivial"))).resource_meta


class PanicException(BaseException):
    """What extensions written in Rust raise when they fail."""


def _panics(*_: Any) -> Any:
    raise PanicException("called `Option::unwrap()` on a `None` value")


async def _panics_in_the_loop(*_: Any) -> Any:
    _panics()


def _interrupts(*_: Any) -> Any:
    raise KeyboardInterrupt


def _has_no_next(*_: Any) -> Any:
    return next(iter(()))


@pytest.mark.parametrize("ends", [_panics, _panics_in_the_loop, _interrupts, _has_no_next])
async def test_however_a_call_of_a_connector_ends_its_caller_is_answered(ends: Any) -> None:
    connector = type("Panicking", (TrivialConnector,), {"get": ends, "delete": ends, "create": ends})()
    async with serving(connector) as peer:
        handle = b'{"v":1,"category":"trivial@0","job":{"id":"job-1"}}'
        about = {"task_category": pb.TaskCategory(name="trivial"), "resource_meta": handle}
        for call in (
            peer.jobs.CreateTask(create_request("trivial", key="k"), timeout=20),
            peer.jobs.GetTask(pb.GetTaskRequest(**about), timeout=20),
            peer.jobs.DeleteTask(pb.DeleteTaskRequest(**about), timeout=20),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call
            assert caught.value.code() is grpc.StatusCode.INTERNAL
            assert "connector Trivial failed in" in (caught.value.details() or "")


async def test_text_that_is_no_text_is_told_as_far_as_it_is() -> None:
    class Undecoded(TrivialConnector):
        async def get(self, job: Any, ctx: Any) -> Resource:
            link = LogLink(uri="http://logs/\udcff", name="ä\udc80")
            return Resource(phase=Phase.RUNNING, message="grün \udcff.", log_links=[link])

        async def logs(self, job: Any, request: Any, ctx: Any) -> Any:
            yield LogPage(lines=[LogLine(message="grün \udcff.")], token="1")

    async with serving(Undecoded()) as peer:
        handle = (await peer.jobs.CreateTask(create_request("trivial"))).resource_meta
        about = {"task_category": pb.TaskCategory(name="trivial"), "resource_meta": handle}
        resource = (await peer.jobs.GetTask(pb.GetTaskRequest(**about))).resource
        assert (resource.message, resource.log_links[0].name) == ("grün ?.", "ä?")
        lines = [
            line async for part in peer.jobs.GetTaskLogs(pb.GetTaskLogsRequest(**about)) for line in part.body.results
        ]
        assert lines == ["grün ?."]


async def test_a_long_error_arrives_clipped(peer: Peer) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await peer.jobs.CreateTask(create_request("failing", {"error": "UserError", "words": 100_000}))
    assert caught.value.code() is Code.FAILED_PRECONDITION
    assert caught.value.details().startswith("no no no")
    assert len(dict(caught.value.trailing_metadata())["grpc-status-details-bin"]) <= 2048


async def test_an_unknown_method_is_unimplemented(peer: Peer) -> None:
    unknown: Any = peer.channel.unary_unary("/connectory.v1.AsyncConnectorService/Fly")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await unknown(b"")
    assert caught.value.code() is Code.UNIMPLEMENTED


async def test_inputs_may_come_in_several_messages(peer: Peer) -> None:
    text = interface_pb2.Variable(type=types_pb2.LiteralType(simple=types_pb2.STRING))
    variables = interface_pb2.VariableMap(variables={"a": text, "b": text})
    task = template("trivial_sync", interface=interface_pb2.TypedInterface(inputs=variables, outputs=variables))
    _, answer = await execute(peer, *execute_messages(task, text_inputs(a="1"), text_inputs(b="2")))
    assert set(pb.ExecuteTaskSyncResponse.FromString(answer).outputs.literals) == {"a", "b"}


async def test_an_input_that_comes_twice_is_refused(peer: Peer) -> None:
    text = interface_pb2.Variable(type=types_pb2.LiteralType(simple=types_pb2.STRING))
    variables = interface_pb2.VariableMap(variables={"a": text, "b": text})
    task = template("trivial_sync", interface=interface_pb2.TypedInterface(inputs=variables))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await execute(peer, *execute_messages(task, text_inputs(a="1"), text_inputs(a="2")))
    assert caught.value.code() is Code.INVALID_ARGUMENT
    assert "a" in caught.value.details()


async def test_a_caller_that_keeps_its_side_open_is_answered_once_all_inputs_are_there(peer: Peer) -> None:
    call = peer.sync.ExecuteTaskSync()
    interface = interface_with_int()
    interface.outputs.CopyFrom(interface.inputs)
    for message in execute_messages(template("trivial_sync", interface=interface), int_inputs(count=7)):
        await call.write(message)
    assert (await call.read()).header.resource.phase == 3
    assert (await call.read()).outputs.literals["count"].scalar.primitive.integer == 7
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is Code.OK


def int_inputs(**values: int) -> literals_pb2.LiteralMap:
    inputs = literals_pb2.LiteralMap()
    for name, value in values.items():
        inputs.literals[name].scalar.primitive.integer = value
    return inputs
