"""Ten thousand calls at once are all answered, and a connector that blocks delays only itself."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest

from connectory.v1 import connector_pb2 as pb
from connectory.v1 import services_pb2_grpc
from tests.connector_server.fakes import (
    BlockingLoopConnector,
    BlockingThreadConnector,
    SlowConnector,
    TrivialConnector,
)
from tests.connector_server.harness import create_request, serving


async def test_ten_thousand_calls_at_once_over_one_connection_are_all_answered() -> None:
    async with serving(TrivialConnector()) as peer:
        handle = (await peer.jobs.CreateTask(create_request("trivial"))).resource_meta
        get = peer.jobs.GetTask
        request = pb.GetTaskRequest(task_category=pb.TaskCategory(name="trivial"), resource_meta=handle)
        answers = await asyncio.gather(*(get(request) for _ in range(10_000)))
    assert len(answers) == 10_000
    assert {answer.resource.phase for answer in answers} == {3}


async def test_ten_thousand_calls_at_once_over_a_hundred_connections_are_all_answered() -> None:
    async with AsyncExitStack() as stack:
        peer = await stack.enter_async_context(serving(TrivialConnector()))
        handle = (await peer.jobs.CreateTask(create_request("trivial"))).resource_meta
        request = pb.GetTaskRequest(task_category=pb.TaskCategory(name="trivial"), resource_meta=handle)
        apart = [("grpc.use_local_subchannel_pool", 1)]
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(peer.server.addresses[0], options=apart))
            for _ in range(100)
        ]
        stubs: list[Any] = [services_pb2_grpc.AsyncConnectorServiceStub(channel) for channel in channels]
        answers = await asyncio.gather(*(stubs[number % 100].GetTask(request) for number in range(10_000)))
        assert len(answers) == 10_000
        assert peer.server.admission.refused == 0


async def test_calls_that_block_their_threads_delay_nobody_else() -> None:
    blocking = BlockingThreadConnector()
    async with serving(TrivialConnector(), blocking) as peer:
        requests = [create_request("blocking_thread", key=str(number)) for number in range(20)]
        blocked = [asyncio.ensure_future(peer.jobs.CreateTask(request)) for request in requests]
        for _ in range(20):
            assert (await peer.jobs.CreateTask(create_request("trivial"))).resource_meta
        assert not any(call.done() for call in blocked)
        blocking.gate.set()
        assert len(await asyncio.gather(*blocked)) == 20


async def test_the_watchdog_names_the_connector_that_blocks_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(BlockingLoopConnector()) as peer:
        await peer.jobs.CreateTask(create_request("blocking_loop", {"seconds": 1.6}))
        assert peer.server.watchdog.blocked_by == "BlockingLoop"
    assert "connector BlockingLoop has blocked the event loop" in caplog.text
    assert "threading.Event().wait" in caplog.text


async def test_a_create_whose_caller_went_away_happens_once_and_is_kept() -> None:
    slow = SlowConnector()
    async with serving(slow) as peer:
        request = create_request("slow", key="key-1")
        call = asyncio.ensure_future(peer.jobs.CreateTask(request))
        await slow.started.wait()
        call.cancel()
        await asyncio.wait([call])
        slow.gate.set()
        assert b"slow-1" in (await peer.jobs.CreateTask(request)).resource_meta
    assert slow.created == 1
