"""Secrets that a connector reads and repeats wherever it can, searched for in everything that leaves the server."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import yaml
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from connector_server.isolation.opening import isolated_in
from connector_server.logs import ConsoleFormatter, JsonFormatter
from connectory import errors
from connectory.connector.contract import (
    AsyncConnector,
    CreateContext,
    JobContext,
    JobError,
    LogLine,
    LogLink,
    LogPage,
    LogRequest,
    MetricSeries,
    MetricsRequest,
    Phase,
    Resource,
    SyncConnector,
)
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import operations_pb2, watch_pb2
from connectory.v1.operations_pb2_grpc import OperationsServiceStub
from connectory.v1.watch_pb2_grpc import TaskWatchServiceStub
from connectory_cli import jobs as job_commands
from tests.connector_server.harness import Peer, create_request, execute_messages, serving, template
from tests.connector_server.isolation.apart import apart

OWN = "planted-in-the-environment-of-the-server"
FILED = "planted-in-a-file,first-line\nplanted-in-a-file,second-line"
SENT = "planted-in-the-connection-of-the-request"
TOKEN = "planted-as-the-bearer-token-of-the-caller"
KEY = "planted-as-the-key-that-handles-are-signed-with"
PLANTED = (OWN, *FILED.splitlines(), SENT, TOKEN, KEY)
METADATA = [("authorization", f"Bearer {TOKEN}")]
WAYS = ("nothing", "user", "ambiguous", "defect", "chained", "cancelled")


@dataclass(frozen=True)
class Config:
    how: str = "nothing"


@dataclass(frozen=True)
class Job:
    id: str
    how: str


class _Telling:
    """Says all its secrets, in the way that it is told to."""

    def tell(self, ctx: JobContext, how: str) -> str:
        own, filed = ctx.secrets.get("own"), ctx.secrets.get("filed", group="planted")
        said = f"{own} and {filed} and {ctx.secrets.get('sent') if ctx.connection else ''}"
        ctx.logger.debug("detail: %s", said)
        ctx.logger.warning("careless: %s", said, extra={"password": said})
        try:
            raise ValueError(said)
        except ValueError:
            ctx.logger.exception("it failed with %s", said)
        match how:
            case "user":
                raise errors.UserError(said, reason="REFUSED", fields={"config.password": said})
            case "ambiguous":
                raise errors.AmbiguousError(said)
            case "defect":
                raise RuntimeError(said)
            case "chained":
                raise errors.UnavailableError(said) from ValueError(said)
            case "cancelled":
                raise asyncio.CancelledError(said)
        return said

    def resource(self, said: str, phase: Phase) -> Resource:
        return Resource(
            phase=phase,
            message=said,
            log_links=[LogLink(uri=f"https://logs.example.com/?token={said}", name=said)],
            custom_info={"said": said, said: [said, {"deep": said}]},
            error=JobError(message=said, code="BROKEN") if phase is Phase.FAILED else None,
        )


class PlantedConnector(_Telling, AsyncConnector[Config, Job]):
    name = "planted"
    task_type = "planted"

    async def create(self, ctx: CreateContext[Config]) -> Job:
        self.tell(ctx, ctx.config.how)
        return Job(ctx.idempotency_key, ctx.config.how)

    async def get(self, job: Job, ctx: JobContext) -> Resource:
        return self.resource(self.tell(ctx, job.how), Phase.FAILED)

    async def delete(self, job: Job, ctx: JobContext) -> None:
        self.tell(ctx, "user")

    async def logs(self, job: Job, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        said = self.tell(ctx, "nothing")
        yield LogPage(lines=[LogLine(message=said)], token="1")
        self.tell(ctx, "defect")

    async def metrics(self, job: Job, request: MetricsRequest, ctx: JobContext) -> Sequence[MetricSeries]:
        said = self.tell(ctx, "nothing")
        return [MetricSeries(metric=said, data={said: [said]})]

    async def check(self) -> None:
        raise errors.UnavailableError("not now")


class PlantedSyncConnector(_Telling, SyncConnector[Config]):
    name = "planted_sync"
    task_type = "planted_sync"

    async def execute(self, ctx: CreateContext[Config]) -> Resource:
        return self.resource(self.tell(ctx, ctx.config.how), Phase.FAILED)


@pytest.fixture
def logged() -> Iterator[list[io.StringIO]]:
    """Everything that is logged, in both forms."""
    texts = [io.StringIO(), io.StringIO()]
    handlers = [logging.StreamHandler(text) for text in texts]
    handlers[0].setFormatter(JsonFormatter())
    handlers[1].setFormatter(ConsoleFormatter())
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    for handler in handlers:
        root.addHandler(handler)
    yield texts
    root.setLevel(level)
    for handler in handlers:
        root.removeHandler(handler)


def with_connection(request: Any) -> Any:
    request.connection.secrets["sent"] = SENT
    return request


async def answered(call: Any) -> str:
    """What the caller sees, whatever it is: answers, status, details, metadata."""
    try:
        if hasattr(call, "read"):
            return str([answer async for answer in call])
        return str(await call)
    except grpc.aio.AioRpcError as error:
        return f"{error.code()} {error.details()} {error.trailing_metadata()} {error.debug_error_string()}"


async def everything_asked(peer: Peer) -> list[str]:
    """Every operation, in every way in which the connector can fail, and what came back."""
    seen = []
    for how in WAYS:
        create = with_connection(create_request("planted", {"how": how}, key=f"key-{how}"))
        seen.append(await answered(peer.jobs.CreateTask(create, metadata=METADATA)))
        task = template("planted_sync", {"how": how})
        messages = execute_messages(task)
        with_connection(messages[0].header)
        seen.append(await answered(peer.sync.ExecuteTaskSync(iter(messages), metadata=METADATA)))
    request = create_request("planted", {"how": "nothing"}, key="key-kept")
    handle = (await peer.jobs.CreateTask(request, metadata=METADATA)).resource_meta
    about = {"task_category": pb.TaskCategory(name="planted"), "resource_meta": handle}
    seen.append(handle.decode())
    for call in (
        peer.jobs.GetTask(with_connection(pb.GetTaskRequest(**about)), metadata=METADATA),
        peer.jobs.GetTask(pb.GetTaskRequest(**about), metadata=METADATA),
        peer.jobs.GetTaskLogs(pb.GetTaskLogsRequest(**about), metadata=METADATA),
        peer.jobs.GetTaskLogs(pb.GetTaskLogsRequest(**about, tail=3, follow=True), metadata=METADATA),
        peer.jobs.GetTaskMetrics(pb.GetTaskMetricsRequest(**about, queries=["all"]), metadata=METADATA),
        watching(peer, with_connection(pb.GetTaskRequest(**about))),
        OperationsServiceStub(peer.channel).Reload(operations_pb2.ReloadRequest(), metadata=METADATA),
        peer.jobs.GetTask(pb.GetTaskRequest(**about), metadata=METADATA),
        peer.jobs.DeleteTask(with_connection(pb.DeleteTaskRequest(**about)), metadata=METADATA),
        peer.metadata.ListConnectors(pb.ListConnectorsRequest(), metadata=METADATA),
        peer.jobs.GetTask(pb.GetTaskRequest(**about), metadata=[("authorization", f"Bearer {TOKEN}x")]),
    ):
        seen.append(await answered(call))
    return seen


def watching(peer: Peer, task: pb.GetTaskRequest) -> Any:
    """A stream that watches one job."""
    request = watch_pb2.WatchTasksRequest(subscribe=[watch_pb2.TaskSubscription(key=b"k", task=task)])
    return TaskWatchServiceStub(peer.channel).WatchTasks(iter([request]), metadata=METADATA)


def told_by_commands(target: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the commands for operators print."""
    servers = job_commands.Servers(endpoints=[target])
    for as_json in (False, True):
        job_commands.list_jobs(servers, job_commands.JobFilter(every_state=True), as_json)
        for key in ("key-kept", "key-ambiguous"):
            job_commands.show_job(servers, key, as_json)
        job_commands.reap_jobs(servers, False, as_json)
    return capsys.readouterr().out


@pytest.fixture(params=["within the server", "in a process of its own"])
def opened(request: pytest.FixtureRequest) -> Callable[..., AbstractAsyncContextManager[Peer]]:
    """Opens a server with these settings, whose connectors run there."""
    if request.param == "within the server":
        return partial(serving, PlantedConnector(), PlantedSyncConnector())
    return partial(apart, __name__)


def of_processes(peer: Peer) -> str:
    """What everybody on the machine sees of the connectors' own processes, and what only their user sees."""
    children = isolated_in(peer.server.dispatcher.registry).values()
    return contents(*(Path(f"/proc/{child.pid}/{name}") for child in children for name in ("cmdline", "environ")))


async def test_a_planted_secret_is_found_nowhere(
    opened: Callable[..., AbstractAsyncContextManager[Peer]],
    tmp_path: Path,
    logged: list[io.StringIO],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plant(tmp_path, monkeypatch)
    spans = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    outputs = {}
    async with opened(
        tokens=tmp_path / "config" / "tokens.yaml",
        handle_keys=tmp_path / "config" / "keys",
        audit_log=str(tmp_path / "audit.jsonl"),
        ledger=str(tmp_path / "ledger" / "ledger.sqlite"),
        metrics_address="127.0.0.1:0",
        tracer_provider=provider,
        lease="1",
    ) as peer:
        outputs["answers"] = "\n".join(await everything_asked(peer))
        outputs["commands"] = await asyncio.to_thread(told_by_commands, peer.server.addresses[0], capsys)
        async with httpx.AsyncClient() as http:
            outputs["metrics"] = (await http.get(f"http://{peer.server.metrics_address}/metrics")).text
        outputs["ledger, open"] = contents(*(tmp_path / "ledger").rglob("*"))
        processes = of_processes(peer)
    assert not [planted for planted in PLANTED if planted in processes]
    outputs["ledger, closed"] = contents(*(tmp_path / "ledger").rglob("*"))
    outputs["spans"] = "\n".join(span.to_json() for span in spans.get_finished_spans())
    outputs["audit log"] = (tmp_path / "audit.jsonl").read_text()
    outputs["log as JSON"], outputs["log for people"] = (text.getvalue() for text in logged)
    for place, output in outputs.items():
        assert output, f"nothing was looked at: {place}"
        for planted in PLANTED:
            assert planted not in output, f"{planted!r} is in: {place}"
    for place in ("log as JSON", "log for people"):
        assert "ValueError: ***" in outputs[place], "a traceback is written, without the secret"
    for place in ("answers", "commands", "log as JSON", "log for people"):
        assert "***" in outputs[place], f"nothing was taken out: {place}"
    assert "changes {" in outputs["answers"], "the watched job was told about"


def plant(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("config", "ledger", "planted"):
        (folder / name).mkdir()
    callers = [{"name": "engine", "scopes": ["*:*"], "token": TOKEN}]
    (folder / "config" / "tokens.yaml").write_text(yaml.safe_dump({"callers": callers}))
    (folder / "config" / "keys").write_text(KEY)
    (folder / "planted" / "filed").write_text(FILED)
    monkeypatch.setenv("CONNECTORY_SECRET_OWN", OWN)
    monkeypatch.setenv("CONNECTORY_SECRETS_DIR", str(folder))
    monkeypatch.setenv("CONNECTORY_TOKEN", TOKEN)


def contents(*paths: Path) -> str:
    return "\n".join(path.read_bytes().decode("latin-1") for path in paths if path.is_file())
