"""A generic client finds every served name by reflection, and calls Flyte's names with what it found."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from connector_server.descriptions import describe
from connector_server.names import SERVICES
from tests.connector_server.fakes import TrivialConnector
from tests.connector_server.harness import serving

LIST = reflection_pb2.ServerReflectionRequest(list_services="*")


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    """The generic client blocks, and the server lives in this process, so the client gets a thread."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


def call_generically(target: str, service: str, method: str, fields: dict[str, Any]) -> Any:
    """What a tool does that knows nothing but an address and a name."""
    with grpc.insecure_channel(target) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert service in database.get_services()
        pool = DescriptorPool(database)
        described = pool.FindServiceByName(service).methods_by_name[method]
        request = message_factory.GetMessageClass(described.input_type)(**fields)
        answer = message_factory.GetMessageClass(described.output_type)
        call = channel.unary_unary(
            f"/{service}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        return call(request)


@pytest.mark.parametrize(
    ("service", "create"),
    [
        ("connectory.v1.AsyncConnectorService", "CreateTask"),
        ("flyteidl.service.AsyncAgentService", "CreateTask"),
        ("flyteidl2.connector.AsyncConnectorService", "CreateTask"),
    ],
)
async def test_a_generic_client_calls_every_family(service: str, create: str, thread: ThreadPoolExecutor) -> None:
    async with serving(TrivialConnector()) as peer:
        answer = await asyncio.get_running_loop().run_in_executor(
            thread, call_generically, peer.server.addresses[0], service, create, {"template": {"type": "trivial"}}
        )
        assert b"job-1" in answer.resource_meta


async def test_a_generic_client_lists_agents_under_the_old_name(thread: ThreadPoolExecutor) -> None:
    async with serving(TrivialConnector()) as peer:
        answer = await asyncio.get_running_loop().run_in_executor(
            thread,
            call_generically,
            peer.server.addresses[0],
            "flyteidl.service.AgentMetadataService",
            "ListAgents",
            {},
        )
        assert [connector.name for connector in answer.connectors] == ["Trivial"]


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_both_protocols_answer(version: str) -> None:
    async with serving(TrivialConnector()) as peer:
        info = peer.channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        unknown = reflection_pb2.ServerReflectionRequest(file_containing_symbol="no.such.Thing")
        listed, missing = [answer async for answer in info(iter([LIST, unknown]))]
        names = {service.name for service in listed.list_services_response.service}
        assert names >= {served.name for served in SERVICES} | {"grpc.health.v1.Health"}
        assert missing.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


async def test_a_generic_client_asks_for_jobs(thread: ThreadPoolExecutor) -> None:
    async with serving(TrivialConnector()) as peer:
        answer = await asyncio.get_running_loop().run_in_executor(
            thread, call_generically, peer.server.addresses[0], "connectory.v1.JobService", "ListJobs", {}
        )
        assert list(answer.jobs) == []


def test_the_description_is_apart_from_an_installed_flyte_package() -> None:
    for served in SERVICES:
        service = describe().FindServiceByName(served.name)
        assert [method.name for method in service.methods] == list(served.methods)
        for method in service.methods:
            assert method.input_type.full_name.startswith("connectory.v1.")


async def test_an_open_reflection_stream_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    path = tmp_path / "server.sock"
    async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
        async with serving(TrivialConnector(), grace=60, uds=[path]):
            info = channel.stream_stream(
                "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
                response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
            )()
            await info.write(LIST)
            assert await info.read()
        assert await info.code() is grpc.StatusCode.UNAVAILABLE
