"""The client against services on real sockets."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import grpc
import grpc.aio
import pytest
from google.rpc import status_pb2

from connectory.client.channel import ClientTls
from connectory.client.connector import ConnectorClient
from connectory.connector.status import to_status
from connectory.errors import (
    DeadlineExceededError,
    InternalError,
    InvalidTaskError,
    NotFoundError,
    RateLimitedError,
    UnavailableError,
    UnsupportedError,
)
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import execution_pb2
from connectory.v1.services_pb2_grpc import (
    AsyncConnectorServiceServicer,
    SyncConnectorServiceServicer,
    add_AsyncConnectorServiceServicer_to_server,
    add_SyncConnectorServiceServicer_to_server,
)
from tests.connector_server.certificates import Authority
from tests.workflow_runner.workflows import integer, literal_map, string

Context = grpc.aio.ServicerContext
Phase = execution_pb2.TaskExecution


class FakeServices(AsyncConnectorServiceServicer, SyncConnectorServiceServicer):
    """Answers with what the request asks for."""

    async def CreateTask(self, request: pb.CreateTaskRequest, context: Context) -> pb.CreateTaskResponse:
        if request.idempotency_key == "wait":
            await asyncio.Event().wait()
        if request.idempotency_key == "limited":
            error = RateLimitedError(
                "slow down", reason="QUOTA", retry_after=timedelta(seconds=3), fields={"a.b": "no"}
            )
            await abort(context, to_status(error))
        return pb.CreateTaskResponse(resource_meta=request.output_prefix.encode())

    async def GetTask(self, request: pb.GetTaskRequest, context: Context) -> pb.GetTaskResponse:
        await context.abort(grpc.StatusCode.NOT_FOUND, "no such job")
        raise AssertionError

    async def GetTaskLogs(
        self, request: pb.GetTaskLogsRequest, context: Context
    ) -> AsyncIterator[pb.GetTaskLogsResponse]:
        line = pb.LogLine(message="hello")
        yield pb.GetTaskLogsResponse(body=pb.GetTaskLogsResponseBody(structured_lines=[line]))
        await context.abort(grpc.StatusCode.UNAVAILABLE, "cut off")

    async def ExecuteTaskSync(
        self, requests: AsyncIterator[pb.ExecuteTaskSyncRequest], context: Context
    ) -> AsyncIterator[pb.ExecuteTaskSyncResponse]:
        parts = [part async for part in requests]
        if parts[0].header.idempotency_key == "silent":
            return
        resource = pb.Resource(phase=Phase.SUCCEEDED, outputs=literal_map(early=integer(1)))
        yield pb.ExecuteTaskSyncResponse(header=pb.ExecuteTaskSyncResponseHeader(resource=resource))
        for part in parts[1:]:
            yield pb.ExecuteTaskSyncResponse(outputs=part.inputs)


async def abort(context: Context, status: status_pb2.Status) -> None:
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
    await context.abort(code, status.message)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are too long for a socket's name
        yield Path(name)


@asynccontextmanager
async def serving(address: str, credentials: grpc.ServerCredentials | None = None) -> AsyncIterator[int]:
    server = grpc.aio.server()
    add_AsyncConnectorServiceServicer_to_server(FakeServices(), server)
    add_SyncConnectorServiceServicer_to_server(FakeServices(), server)
    if credentials is None:
        port = server.add_insecure_port(address)
    else:
        port = server.add_secure_port(address, credentials)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


@pytest.fixture
async def client(folder: Path) -> AsyncIterator[ConnectorClient]:
    async with serving(f"unix:{folder}/s"), ConnectorClient(f"unix:{folder}/s") as opened:
        yield opened


async def test_an_answer_is_an_answer(client: ConnectorClient) -> None:
    response = await client.create(pb.CreateTaskRequest(output_prefix="there"))
    assert response.resource_meta == b"there"


async def test_rich_errors_arrive_whole(client: ConnectorClient) -> None:
    with pytest.raises(RateLimitedError, match="slow down") as caught:
        await client.create(pb.CreateTaskRequest(idempotency_key="limited"))
    assert caught.value.reason == "QUOTA"
    assert caught.value.retry_after == timedelta(seconds=3)
    assert caught.value.fields == {"a.b": "no"}


async def test_plain_errors_arrive_too(client: ConnectorClient) -> None:
    with pytest.raises(NotFoundError, match="no such job"):
        await client.get(pb.GetTaskRequest())
    with pytest.raises(UnsupportedError):
        await client.delete(pb.DeleteTaskRequest())


async def test_a_call_ends_when_its_time_is_over(client: ConnectorClient) -> None:
    with pytest.raises(DeadlineExceededError):
        await client.create(pb.CreateTaskRequest(idempotency_key="wait"), timeout=0.05)


async def test_nobody_there_is_unavailable(folder: Path) -> None:
    async with ConnectorClient(f"unix:{folder}/nobody") as client:
        with pytest.raises(UnavailableError):
            await client.connectors()


async def test_a_sync_task_gives_one_resource(client: ConnectorClient) -> None:
    resource = await client.execute(pb.CreateRequestHeader(), literal_map(late=integer(2)))
    assert resource.phase == Phase.SUCCEEDED
    assert resource.outputs == literal_map(early=integer(1), late=integer(2))
    with pytest.raises(InternalError, match="without a result"):
        await client.execute(pb.CreateRequestHeader(idempotency_key="silent"))


async def test_logs_come_part_by_part_and_their_end_is_told(client: ConnectorClient) -> None:
    parts = client.logs(pb.GetTaskLogsRequest())
    first = await anext(parts)
    assert [line.message for line in first.body.structured_lines] == ["hello"]
    with pytest.raises(UnavailableError, match="cut off"):
        await anext(parts)


async def test_a_message_that_is_too_large_is_not_a_matter_of_patience(folder: Path) -> None:
    large = pb.CreateTaskRequest(inputs=literal_map(a=string("x" * 5000)))
    async with serving(f"unix:{folder}/s"), ConnectorClient(f"unix:{folder}/s", max_message_bytes=4096) as client:
        with pytest.raises(InvalidTaskError, match="pass large values by reference"):
            await client.create(large)


async def test_messages_of_twenty_megabytes_pass(folder: Path) -> None:
    options = [("grpc.max_receive_message_length", -1)]
    server = grpc.aio.server(options=options)
    add_AsyncConnectorServiceServicer_to_server(FakeServices(), server)
    server.add_insecure_port(f"unix:{folder}/s")
    await server.start()
    async with ConnectorClient(f"unix:{folder}/s") as client:
        response = await client.create(pb.CreateTaskRequest(output_prefix="x" * 20_000_000))
    await server.stop(None)
    assert len(response.resource_meta) == 20_000_000


async def test_tls_with_a_certificate_on_both_sides(folder: Path) -> None:
    authority = Authority(folder)
    key, certificate = authority.issue("server")
    own_key, own_certificate = authority.issue("client")
    credentials = grpc.ssl_server_credentials(
        [(key.read_bytes(), certificate.read_bytes())], authority.cert.read_bytes(), require_client_auth=True
    )
    known = ClientTls(root_certificate=authority.cert, certificate=own_certificate, key=own_key)
    unknown = ClientTls(root_certificate=authority.cert)
    async with serving("127.0.0.1:0", credentials) as port:
        async with ConnectorClient(f"127.0.0.1:{port}", tls=known) as client:
            assert await client.create(pb.CreateTaskRequest(output_prefix="there"))
        async with ConnectorClient(f"127.0.0.1:{port}", tls=unknown) as client:
            with pytest.raises(UnavailableError):
                await client.create(pb.CreateTaskRequest())
