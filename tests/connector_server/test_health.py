"""Health of the whole, of each service name and of each connector."""

import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from connector_server.names import SERVICES
from connectory.connector.contract import TaskCategory
from connectory.rpc.health import Health
from connectory.rpc.health_messages import HealthListResponse
from tests.connector_server.fakes import SickConnector, SlowConnector, TrivialConnector
from tests.connector_server.harness import Peer, create_request, serving

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


def stub(peer: Peer) -> health_pb2_grpc.HealthStub:
    return health_pb2_grpc.HealthStub(peer.channel)


async def check(peer: Peer, name: str) -> int:
    return (await stub(peer).Check(health_pb2.HealthCheckRequest(service=name))).status


async def test_the_whole_and_every_service_name_serve() -> None:
    async with serving(TrivialConnector()) as peer:
        for name in ("", *(served.name for served in SERVICES)):
            assert await check(peer, name) == SERVING, name


async def test_a_connector_serves_while_its_check_succeeds_and_never_pulls_the_server_down() -> None:
    async with serving(TrivialConnector(), SickConnector()) as peer:
        assert await check(peer, "connector/trivial@0") == SERVING
        assert await check(peer, "connector/sick@0") == NOT_SERVING
        assert await check(peer, "") == SERVING


async def test_an_unknown_name_is_not_found() -> None:
    async with serving(TrivialConnector()) as peer:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await check(peer, "connector/nothing@0")
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        watch = stub(peer).Watch(health_pb2.HealthCheckRequest(service="nobody"))
        assert (await watch.read()).status == SERVICE_UNKNOWN


async def test_list_tells_all_names() -> None:
    async with serving(TrivialConnector(), SickConnector()) as peer:
        list_all = peer.channel.unary_unary(
            "/grpc.health.v1.Health/List", response_deserializer=HealthListResponse.FromString
        )
        statuses = (await list_all(b"")).statuses
        assert statuses["connector/trivial@0"].status == SERVING
        assert statuses["connector/sick@0"].status == NOT_SERVING
        assert {served.name for served in SERVICES} <= set(statuses)


async def test_draining_tells_watchers_and_new_checks_while_calls_finish() -> None:
    slow = SlowConnector()
    async with serving(slow) as peer:
        watch = stub(peer).Watch(health_pb2.HealthCheckRequest(service=""))
        assert (await watch.read()).status == SERVING
        creating = asyncio.ensure_future(peer.jobs.CreateTask(create_request("slow")))
        await slow.started.wait()
        peer.server.health.drain()
        assert (await watch.read()).status == NOT_SERVING
        assert await check(peer, "connector/slow@0") == NOT_SERVING
        slow.gate.set()
        assert (await creating).resource_meta


async def test_who_watches_a_name_that_is_not_known_yet_hears_of_it_once_it_is() -> None:
    health = Health(("service",), every=0.01)
    heard = health.watch("connector/later@0")
    assert await anext(heard) == SERVICE_UNKNOWN
    following = asyncio.ensure_future(anext(heard))
    await asyncio.sleep(0)
    health.know([TaskCategory("later")])
    async with asyncio.timeout(20):
        assert await following == SERVING
