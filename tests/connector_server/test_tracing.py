"""Spans: one per call, under the caller's trace, with the true end; and none at all when nobody wants them."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Iterable

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from connector_server.logs import JsonFormatter
from connector_server.tracing import trace_ids
from connectory.errors import SettingsError
from tests.connector_server.fakes import FailingConnector, TrivialConnector, TrivialSyncConnector
from tests.connector_server.harness import Peer, create_request, execute_messages, serving, template
from tests.connector_server.isolation.apart import CRAFTY, apart

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TRACEPARENT = ("traceparent", f"00-{TRACE}-{PARENT}-01")


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


async def test_a_call_is_one_server_span_under_the_callers_trace(
    exporter: InMemorySpanExporter, provider: TracerProvider
) -> None:
    async with serving(TrivialConnector(), tracer_provider=provider) as peer:
        await peer.jobs.CreateTask(create_request("trivial"), metadata=[TRACEPARENT])
    (span,) = exporter.get_finished_spans()
    assert span.name == "connectory.v1.AsyncConnectorService/CreateTask"
    assert span.kind is SpanKind.SERVER
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, PARENT)
    assert attributes(span) == {
        "rpc.system": "grpc",
        "rpc.service": "connectory.v1.AsyncConnectorService",
        "rpc.method": "CreateTask",
        "rpc.grpc.status_code": 0,
        "connectory.operation": "CreateTask",
        "connectory.task_type": "trivial",
        "connectory.task_type_version": 0,
        "connectory.connector": "Trivial",
    }
    assert span.status.status_code is StatusCode.UNSET


async def test_a_stream_is_one_span(exporter: InMemorySpanExporter, provider: TracerProvider) -> None:
    async with serving(TrivialSyncConnector(), tracer_provider=provider) as peer:
        answers = peer.sync.ExecuteTaskSync(iter(execute_messages(template("trivial_sync"))))
        assert [answer async for answer in answers]
    (span,) = exporter.get_finished_spans()
    assert attributes(span)["connectory.connector"] == "TrivialSync"
    assert attributes(span)["rpc.grpc.status_code"] == 0


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        ("InternalError", 13, StatusCode.ERROR),
        ("UnavailableError", 14, StatusCode.ERROR),
        ("UserError", 9, StatusCode.UNSET),
    ],
)
async def test_a_call_that_ends_with_a_rich_status_has_it_on_its_span(
    exporter: InMemorySpanExporter, provider: TracerProvider, error: str, code: int, status: StatusCode
) -> None:
    async with serving(FailingConnector(), tracer_provider=provider) as peer:
        with pytest.raises(grpc.aio.AioRpcError):
            await peer.jobs.CreateTask(create_request("failing", {"error": error}))
    (span,) = exporter.get_finished_spans()
    assert attributes(span)["rpc.grpc.status_code"] == code
    assert attributes(span)["error.type"]
    assert span.status.status_code is status


async def test_a_request_that_cannot_be_read_has_a_span_too(
    exporter: InMemorySpanExporter, provider: TracerProvider
) -> None:
    async with serving(TrivialConnector(), tracer_provider=provider) as peer:
        with pytest.raises(grpc.aio.AioRpcError):
            await peer.channel.unary_unary("/flyteidl.service.AsyncAgentService/GetTask")(b"\x0a\xff")
    (span,) = exporter.get_finished_spans()
    assert span.name == "flyteidl.service.AsyncAgentService/GetTask"
    assert attributes(span)["rpc.grpc.status_code"] == 3
    assert "connectory.task_type" not in attributes(span)


class LoggingConnector(TrivialConnector):
    """Logs on create."""

    task_type = "logging"

    async def create(self, ctx):  # type: ignore[no-untyped-def]
        ctx.logger.warning("creating")
        return await super().create(ctx)


async def test_what_a_connector_logs_carries_the_ids_of_the_trace(
    provider: TracerProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.setFormatter(JsonFormatter(trace_ids))
    async with serving(LoggingConnector(), tracer_provider=provider) as peer:
        await peer.jobs.CreateTask(create_request("logging"), metadata=[TRACEPARENT])
    lines = [json.loads(line) for line in caplog.text.splitlines() if "creating" in line]
    assert [line["trace_id"] for line in lines] == [TRACE]


UNTRACED = """
import asyncio, pathlib, sys, tempfile
from connector_server.app import serve
from connector_server.settings import ServerSettings
from connectory.connector.registry import Registry

OPTIONAL = ("opentelemetry", "prometheus_client", "yaml", "jwt", "asyncpg", "httpx")

async def main():
    with tempfile.TemporaryDirectory() as folder:
        async with serve(ServerSettings(uds=[pathlib.Path(folder) / "s"]), registry=Registry()):
            print(sorted(name for name in sys.modules if name.startswith(OPTIONAL)))

asyncio.run(main())
"""


def test_nothing_is_loaded_that_the_settings_do_not_ask_for() -> None:
    run = subprocess.run([sys.executable, "-c", UNTRACED], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


async def otlp_collector(service: str) -> tuple[grpc.aio.Server, str, asyncio.Queue[bytes]]:
    """A collector of one kind of telemetry, its address, and what it is sent."""
    received: asyncio.Queue[bytes] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    async def export(request: bytes, _context: object) -> bytes:
        loop.call_soon_threadsafe(received.put_nowait, request)
        return b""

    collector = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(export)
    name = f"opentelemetry.proto.collector.{service}"
    collector.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Export": handler}),))
    port = collector.add_insecure_port("127.0.0.1:0")
    await collector.start()
    return collector, f"http://127.0.0.1:{port}", received


async def test_spans_are_exported_by_otlp_when_the_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    collector, address, received = await otlp_collector("trace.v1.TraceService")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "tested-server")
    async with serving(TrivialConnector()) as peer:
        await peer.jobs.CreateTask(create_request("trivial"), metadata=[TRACEPARENT])
    exported = await received.get()
    await collector.stop(None)
    assert b"tested-server" in exported
    assert bytes.fromhex(TRACE) in exported


async def many_calls(peer: Peer) -> None:
    """Calls of every kind: of one's own trace and of another's, again, failing, and not to be read."""
    for metadata in ((), (TRACEPARENT,), (TRACEPARENT, ("tracestate", "a=b")), (), (TRACEPARENT,)):
        await peer.jobs.CreateTask(create_request("trivial"), metadata=metadata)
    for kind in ("InternalError", "UserError"):
        with pytest.raises(grpc.aio.AioRpcError):
            await peer.jobs.CreateTask(create_request("failing", {"error": kind}))
    with pytest.raises(grpc.aio.AioRpcError):
        await peer.channel.unary_unary("/flyteidl.service.AsyncAgentService/GetTask")(b"\x0a\xff")
    await peer.jobs.CreateTask(create_request("adding"))


class AddingConnector(TrivialConnector):
    """Adds to the span of the call."""

    task_type = "adding"

    async def create(self, ctx):  # type: ignore[no-untyped-def]
        trace.get_current_span().set_attribute("mine", ctx.idempotency_key != "")
        return await super().create(ctx)


def without_ids(spans: Iterable[Span]) -> list[Span]:
    """What spans say, in the order of their beginnings."""
    ordered = sorted(spans, key=lambda span: span.start_time_unix_nano)
    for span in ordered:
        assert 0 < span.start_time_unix_nano < span.end_time_unix_nano
        assert len(span.trace_id) == 16
        assert len(span.span_id) == 8
        for name in ("span_id", "start_time_unix_nano", "end_time_unix_nano"):
            span.ClearField(name)
        span.attributes.sort(key=lambda attribute: attribute.key)
        if not span.parent_span_id:
            span.ClearField("trace_id")
        if span.status.message:  # it holds an id of the error
            span.status.message = span.status.message.partition(" (error id")[0]
    return ordered


async def test_what_is_exported_is_what_the_sdk_would_send(
    exporter: InMemorySpanExporter, provider: TracerProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    connectors = (TrivialConnector, FailingConnector, AddingConnector)
    async with serving(*(one() for one in connectors), tracer_provider=provider) as peer:
        await many_calls(peer)
    (theirs,) = encode_spans(exporter.get_finished_spans()).resource_spans
    collector, address, received = await otlp_collector("trace.v1.TraceService")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    async with serving(*(one() for one in connectors)) as peer:
        await many_calls(peer)
    (ours,) = ExportTraceServiceRequest.FromString(await received.get()).resource_spans
    await collector.stop(None)
    assert ours.scope_spans[0].scope == theirs.scope_spans[0].scope
    assert without_ids(ours.scope_spans[0].spans) == without_ids(theirs.scope_spans[0].spans)


async def test_a_caller_that_samples_nothing_is_not_traced(
    exporter: InMemorySpanExporter, provider: TracerProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector, address, received = await otlp_collector("trace.v1.TraceService")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    async with serving(TrivialConnector()) as peer:
        await peer.jobs.CreateTask(create_request("trivial"), metadata=[("traceparent", f"00-{TRACE}-{PARENT}-00")])
        await peer.jobs.CreateTask(create_request("trivial"))
    (resource,) = ExportTraceServiceRequest.FromString(await received.get()).resource_spans
    await collector.stop(None)
    (span,) = resource.scope_spans[0].spans
    assert span.trace_id != bytes.fromhex(TRACE)


async def test_a_connector_in_a_process_of_its_own_is_in_the_trace_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    collector, address, received = await otlp_collector("trace.v1.TraceService")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    async with apart(CRAFTY) as peer:
        request = create_request("crafty", {"create": "log"})
        await peer.jobs.CreateTask(request, metadata=[TRACEPARENT])
    exported = received.get_nowait() + received.get_nowait()
    await collector.stop(None)
    assert b"connectory.v1.AsyncConnectorService/CreateTask" in exported
    assert b"connectory.isolation.Connectors/Create" in exported
    assert exported.count(bytes.fromhex(TRACE)) == 2
    (record,) = [record for record in caplog.records if record.getMessage() == "the note is "]
    assert vars(record)["trace_id"] == TRACE


async def test_metrics_are_exported_by_otlp_when_the_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    collector, address, received = await otlp_collector("metrics.v1.MetricsService")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", address)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "tested-server")
    async with serving(TrivialConnector()) as peer:
        for _ in range(3):
            await peer.jobs.CreateTask(create_request("trivial"))
    exported = ExportMetricsServiceRequest.FromString(await received.get())
    await collector.stop(None)
    (resource,) = exported.resource_metrics
    assert "tested-server" in {attribute.value.string_value for attribute in resource.resource.attributes}
    metrics = {metric.name: metric for metric in resource.scope_metrics[0].metrics}
    (ended,) = metrics["connectory_requests"].sum.data_points
    assert ended.as_int == 3
    assert {label.key: label.value.string_value for label in ended.attributes} == {
        "operation": "CreateTask",
        "task_type": "trivial",
        "code": "OK",
    }
    (took,) = metrics["connectory_request_seconds"].histogram.data_points
    assert took.count == sum(took.bucket_counts) == 3
    assert len(took.bucket_counts) == len(took.explicit_bounds) + 1
    assert took.sum > 0
    assert metrics["connectory_requests_in_flight"].gauge.data_points[0].as_int == 0


async def test_an_interval_that_is_no_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "often")
    with pytest.raises(SettingsError, match="OTEL_METRIC_EXPORT_INTERVAL='often'"):
        async with serving(TrivialConnector()):
            raise AssertionError("it must not serve")


async def test_otlp_without_its_package_is_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.delitem(sys.modules, "connector_server.otlp_spans", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.grpc.trace_exporter", None)
    with pytest.raises(Exception, match=r"install connectory\[otlp\]"):
        async with serving(TrivialConnector()):
            raise AssertionError("it must not serve")


def test_logs_are_json_with_their_facts() -> None:
    record = logging.makeLogRecord({"msg": "hello %s", "args": ("you",), "levelname": "INFO", "name": "x", "worker": 3})
    line = json.loads(JsonFormatter().format(record))
    assert (line["message"], line["worker"], line["level"]) == ("hello you", 3, "INFO")
    assert "trace_id" not in line
