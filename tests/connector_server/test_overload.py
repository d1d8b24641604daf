"""A full process answers at once that callers should come again, and keeps answering who operates it."""

import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from connectory.rpc import handlers
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import jobs_pb2, jobs_pb2_grpc, services_pb2_grpc, watch_pb2_grpc
from tests.connector_server.fakes import SlowConnector, TrivialSyncConnector
from tests.connector_server.harness import create_request, error_info, execute_messages, serving, template
from tests.connector_server.test_limits import retry_delay
from tests.connector_server.test_metrics_endpoint import key, scrape
from tests.connector_server.wires import wire_to


async def test_who_comes_to_a_full_process_is_told_at_once_when_to_come_again() -> None:
    slow = SlowConnector()
    async with serving(slow, max_in_flight=1, metrics_address="127.0.0.1:0") as peer:
        first = asyncio.ensure_future(peer.jobs.CreateTask(create_request("slow", key="1")))
        await slow.started.wait()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await peer.jobs.CreateTask(create_request("slow", key="3"), timeout=30)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert error_info(caught.value).reason == "OVERLOADED"
        assert 0.5 <= retry_delay(caught.value) <= 1.5
        with pytest.raises(grpc.aio.AioRpcError) as streamed:
            async for _ in peer.sync.ExecuteTaskSync(iter(execute_messages(template("slow")))):
                pass
        assert error_info(streamed.value).reason == "OVERLOADED"
        assert slow.created == 0

        health = await health_pb2_grpc.HealthStub(peer.channel).Check(health_pb2.HealthCheckRequest())
        assert health.status == health_pb2.HealthCheckResponse.SERVING
        await jobs_pb2_grpc.JobServiceStub(peer.channel).ListJobs(jobs_pb2.ListJobsRequest())

        shown = await scrape(peer)
        assert shown[key("connectory_overload_refused_calls_total")] == 2
        assert shown[key("connectory_calls_in_flight")] == 1
        assert shown[key("connectory_calls_in_flight_limit")] == 1

        slow.gate.set()
        await first
        assert (await peer.jobs.CreateTask(create_request("slow", key="3"))).resource_meta
        assert peer.server.admission.in_flight == 0


async def test_a_stream_on_which_jobs_are_watched_is_one_call_for_as_long_as_it_is_open() -> None:
    async with serving(SlowConnector(), max_in_flight=1) as peer:
        stub = watch_pb2_grpc.TaskWatchServiceStub(peer.channel)
        open_one = stub.WatchTasks()
        await open_one.initial_metadata()
        for call in (stub.WatchTasks(), peer.jobs.CreateTask(create_request("slow"))):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await (call.read() if hasattr(call, "read") else call)
            assert error_info(refused.value).reason == "OVERLOADED"
        await open_one.done_writing()
        assert await open_one.read() is grpc.aio.EOF
        assert peer.server.admission.in_flight == 0


async def test_a_caller_that_vanishes_without_a_word_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "KEEPALIVE_EVERY", 1.0)
    monkeypatch.setattr(handlers, "KEEPALIVE_WITHIN", 1.0)
    async with (
        serving(TrivialSyncConnector(), addresses=["127.0.0.1:0"]) as peer,
        wire_to(int(peer.server.addresses[0].rpartition(":")[2])) as wire,
        grpc.aio.insecure_channel(f"127.0.0.1:{wire.port}") as channel,
    ):
        call = services_pb2_grpc.SyncConnectorServiceStub(channel).ExecuteTaskSync()
        await call.write(execute_messages(template("trivial_sync"))[0])
        async with asyncio.timeout(30):
            while not peer.server.admission.in_flight:  # noqa: ASYNC110 - the event is in the server
                await asyncio.sleep(0.01)
            wire.loses_answers = True
            while peer.server.admission.in_flight:  # noqa: ASYNC110 - the event is in the server
                await asyncio.sleep(0.05)


async def test_a_caller_that_goes_away_makes_room() -> None:
    slow = SlowConnector()
    async with serving(slow, max_in_flight=1) as peer:
        call = peer.jobs.CreateTask(create_request("slow", key="1"))
        task = asyncio.ensure_future(call)
        await slow.started.wait()
        call.cancel()
        await asyncio.wait([task])
        while peer.server.admission.in_flight:  # noqa: ASYNC110 - the event is in the server
            await asyncio.sleep(0)
        slow.gate.set()
        assert (await peer.metadata.ListConnectors(pb.ListConnectorsRequest())).connectors
