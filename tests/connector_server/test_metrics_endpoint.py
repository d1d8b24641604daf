"""What Prometheus reads, after calls that a test made."""

import asyncio
import threading
import urllib.request

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from connectory.errors import SettingsError
from tests.connector_server.fakes import BlockingThreadConnector, FailingConnector, SlowConnector, TrivialConnector
from tests.connector_server.harness import Peer, create_request, serving


async def scrape(peer: Peer) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    def read() -> str:
        with urllib.request.urlopen(f"http://{peer.server.metrics_address}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    families = text_string_to_metric_families(await asyncio.to_thread(read))
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


async def test_calls_are_counted_by_operation_task_type_and_code() -> None:
    async with serving(TrivialConnector(), FailingConnector(), metrics_address="127.0.0.1:0") as peer:
        request = create_request("trivial", {"text": "x" * 1000})
        for _ in range(3):
            await peer.jobs.CreateTask(request)
        with pytest.raises(grpc.aio.AioRpcError):
            await peer.jobs.CreateTask(create_request("failing", {"error": "UserError"}))
        samples = await scrape(peer)
    trivial = {"operation": "CreateTask", "task_type": "trivial"}
    assert samples[key("connectory_requests_total", **trivial, code="OK")] == 3
    failing = {"operation": "CreateTask", "task_type": "failing"}
    assert samples[key("connectory_requests_total", **failing, code="FAILED_PRECONDITION")] == 1
    assert samples[key("connectory_request_input_bytes_total", **trivial)] == 3 * request.ByteSize()
    assert samples[key("connectory_request_seconds_count", **trivial)] == 3
    assert samples[key("connectory_request_seconds_bucket", **trivial, le="+Inf")] == 3
    assert samples[key("connectory_requests_in_flight", **trivial)] == 0
    assert samples[key("connectory_loop_lag_seconds")] >= 0


async def test_made_up_task_types_cannot_grow_the_labels() -> None:
    async with serving(TrivialConnector(), metrics_address="127.0.0.1:0") as peer:
        for number in range(20):
            with pytest.raises(grpc.aio.AioRpcError):
                await peer.jobs.CreateTask(create_request(f"made-up-{number}"))
        samples = await scrape(peer)
    unknown = key("connectory_requests_total", operation="CreateTask", task_type="unknown", code="NOT_FOUND")
    assert samples[unknown] == 20
    assert not any("made-up" in value for _, labels in samples for _, value in labels)


async def test_calls_in_flight_are_seen() -> None:
    slow = SlowConnector()
    async with serving(slow, metrics_address="127.0.0.1:0") as peer:
        creating = asyncio.ensure_future(peer.jobs.CreateTask(create_request("slow")))
        await slow.started.wait()
        samples = await scrape(peer)
        slow.gate.set()
        await creating
    assert samples[key("connectory_requests_in_flight", operation="CreateTask", task_type="slow")] == 1


class OneThreadConnector(BlockingThreadConnector):
    """Runs one plain function at a time, and tells when the first one runs."""

    pool_size = 1
    running = threading.Event()

    def create(self, ctx):  # type: ignore[no-untyped-def, override]
        self.running.set()
        return super().create(ctx)


async def test_calls_that_wait_for_a_thread_are_seen() -> None:
    connector = OneThreadConnector()
    async with serving(connector, metrics_address="127.0.0.1:0") as peer:
        requests = [create_request("blocking_thread", key=str(number)) for number in range(3)]
        creating = [asyncio.ensure_future(peer.jobs.CreateTask(request)) for request in requests]
        await asyncio.to_thread(connector.running.wait, 5)
        while (samples := await scrape(peer))[key("connectory_pool_queued_calls", connector="BlockingThread")] < 2:
            continue
        connector.gate.set()
        await asyncio.gather(*creating)
    assert samples[key("connectory_pool_active_calls", connector="BlockingThread")] == 1


async def test_a_taken_metrics_address_is_refused() -> None:
    async with serving(TrivialConnector(), metrics_address="127.0.0.1:0") as peer:
        with pytest.raises(SettingsError, match="metrics_address"):
            async with serving(TrivialConnector(), metrics_address=peer.server.metrics_address):
                raise AssertionError("it must not serve")
