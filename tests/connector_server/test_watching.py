"""Jobs are watched over the wire: at real server processes, with an external system that counts its polls."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

import grpc
import pytest
import yaml
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from connector_server.tracing import trace_ids
from connectory.client.connector import ConnectorClient
from connectory.client.jobs import JobClient
from connectory.client.tokens import BearerToken
from connectory.client.watched_task import WatchedTask
from connectory.connector.contract import JobContext, Phase, Resource
from connectory.errors import (
    InvalidTaskError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedError,
)
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import jobs_pb2, watch_pb2
from connectory.v1.watch_pb2_grpc import TaskWatchServiceStub
from tests.connector_server.fakes import TrivialConnector
from tests.connector_server.harness import Peer, create_request, error_info, serving, template
from tests.connector_server.processes import ServerProcess, server_process
from tests.connector_server.test_metrics_endpoint import key, scrape
from tests.connector_server.watched import Bulletin, BulletinJob, EagerConnector

TOKEN = "a-token-of-good-length-for-tests"


@pytest.fixture
def bulletin(tmp_path: Path) -> Bulletin:
    return Bulletin(tmp_path / "bulletin")


class Watcher:
    """A client of a server process, with the handles of jobs on the bulletin."""

    def __init__(self, client: ConnectorClient, bulletin: Bulletin) -> None:
        self.client = client
        self.bulletin = bulletin

    async def job(self, name: str, task_type: str = "eager", *, key: str = "") -> pb.GetTaskRequest:
        config = {"name": name, "folder": str(self.bulletin.folder)}
        created = await self.client.create(
            pb.CreateTaskRequest(template=template(task_type, config), idempotency_key=key)
        )
        return pb.GetTaskRequest(resource_meta=created.resource_meta, task_category=pb.TaskCategory(name=task_type))


@asynccontextmanager
async def server_at(socket: Path, **settings: Any) -> AsyncIterator[ServerProcess]:
    told = {"modules": "tests.connector_server.watched", "uds": socket, "metrics_address": "127.0.0.1:0"}
    async with server_process(**{**told, **settings}) as process:
        await process.logged("serving")
        yield process


@asynccontextmanager
async def watching(bulletin: Bulletin, **settings: Any) -> AsyncIterator[tuple[Watcher, ServerProcess]]:
    with TemporaryDirectory() as folder:
        socket = Path(folder, "s")
        async with server_at(socket, **settings) as process, ConnectorClient(f"unix:{socket}") as client:
            yield Watcher(client, bulletin), process


async def until(task: WatchedTask, message: str) -> None:
    """Read until the job says this."""
    async with asyncio.timeout(20):
        async for resource in task:
            if resource.message == message:
                return
    raise AssertionError(f"the job has ended without saying {message!r}")


def measured(process: ServerProcess, name: str) -> dict[str, float]:
    (line,) = [line for line in process.lines if line["message"] == "serving"]
    with urlopen(f"http://{line['metrics'][0]}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return {text.split(" ")[0]: float(text.split(" ")[1]) for text in lines if text.startswith(f"{name}{{")}


async def measures(process: ServerProcess, text: str, value: float) -> None:
    """Wait until the server measures this."""
    async with asyncio.timeout(20):
        while (await asyncio.to_thread(measured, process, text.partition("{")[0])).get(text) != value:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_changes_are_told_in_their_order_until_the_job_has_ended(bulletin: Bulletin) -> None:
    bulletin.write("j", phase="QUEUED")
    async with watching(bulletin) as (watcher, process):
        seen: list[tuple[str, str]] = []
        steps = iter([{"message": "one"}, {"message": "two"}, {"phase": "FAILED", "message": "three"}])
        async with asyncio.timeout(20):
            async for resource in watcher.client.watch(await watcher.job("j")):
                seen.append((Phase(resource.phase).name, resource.message))
                if (step := next(steps, None)) is not None:
                    bulletin.write("j", **step)
        assert seen == [("QUEUED", ""), ("RUNNING", "one"), ("RUNNING", "two"), ("FAILED", "three (Broken)")]
        await measures(process, 'connectory_watched_jobs{category="eager@0"}', 0)


async def test_however_many_watch_a_job_it_is_polled_once(bulletin: Bulletin) -> None:
    bulletin.write("j", message="hello")
    async with watching(bulletin) as (watcher, process):
        request = await watcher.job("j", "lazy")
        async with ConnectorClient(watcher.client.target) as second, ConnectorClient(watcher.client.target) as third:
            tasks = [client.watch(request) for client in (watcher.client, second, third) for _ in range(20)]
            await asyncio.gather(*(until(task, "hello") for task in tasks))
            await measures(process, 'connectory_watched_jobs{category="lazy@0"}', 1)
    assert bulletin.polls("j") == 1


async def test_trouble_with_one_job_is_told_of_that_job(bulletin: Bulletin) -> None:
    bulletin.write("good", message="fine")
    async with watching(bulletin) as (watcher, _):
        good, gone = await watcher.job("good"), await watcher.job("gone")
        category = pb.TaskCategory(name="eager")
        garbage = pb.GetTaskRequest(resource_meta=b"garbage", task_category=category)
        unknown = pb.GetTaskRequest(resource_meta=good.resource_meta, task_category=pb.TaskCategory(name="nobody's"))
        for request, error, said in (
            (gone, NotFoundError, "there is no job gone"),
            (garbage, InvalidTaskError, "the handle cannot be used"),
            (pb.GetTaskRequest(task_category=category), InvalidTaskError, "task.resource_meta: it is required"),
            (unknown, NotFoundError, "no connector is registered for task category nobody's@0"),
        ):
            with pytest.raises(error, match=said):
                await until(watcher.client.watch(request), "never")
        await until(watcher.client.watch(good), "fine")


async def test_a_system_that_is_away_ends_nothing(bulletin: Bulletin) -> None:
    bulletin.write("j", message="before")
    async with watching(bulletin) as (watcher, _):
        troubled = asyncio.Event()

        def look(task: WatchedTask) -> None:
            if task.error is not None:
                assert isinstance(task.error, UnavailableError)
                assert not task.ended
                troubled.set()

        task = watcher.client.watch(await watcher.job("j"), look)
        await until(task, "before")
        assert task.is_live
        bulletin.write("j", away=True)
        async with asyncio.timeout(20):
            await troubled.wait()
        assert not task.is_live
        bulletin.write("j", message="before")
        await until(task, "before")
        assert task.is_live


async def test_who_unsubscribes_last_ends_the_polling(bulletin: Bulletin) -> None:
    for name in ("j", "other"):
        bulletin.write(name, message="0")
    async with watching(bulletin) as (watcher, process):
        request = await watcher.job("j")
        first, second = watcher.client.watch(request), watcher.client.watch(request)
        await asyncio.gather(until(first, "0"), until(second, "0"))
        first.close()
        bulletin.write("j", message="1")
        await until(second, "1")
        second.close()
        await measures(process, 'connectory_watched_jobs{category="eager@0"}', 0)
        polls = bulletin.polls("j")
        other = watcher.client.watch(await watcher.job("other"))
        for step in ("1", "2", "3"):
            bulletin.write("other", message=step)
            await until(other, step)
        assert bulletin.polls("j") == polls


async def test_a_reader_that_is_slow_misses_what_was_overtaken_and_costs_no_memory(bulletin: Bulletin) -> None:
    names = [str(number) for number in range(20)]
    for name in names:
        bulletin.write(name, size=60_000)
    async with watching(bulletin) as (watcher, process):
        requests = [await watcher.job(name) for name in names]
        async with grpc.aio.insecure_channel(watcher.client.target) as channel:
            call = _stub(channel).WatchTasks()
            subscriptions = [watch_pb2.TaskSubscription(task=request) for request in requests]
            await call.write(watch_pb2.WatchTasksRequest(subscribe=subscriptions))
            async with asyncio.timeout(60):
                while min(map(bulletin.polls, names)) < 20:  # noqa: ASYNC110 - the event is in another process
                    await asyncio.sleep(0.01)
                before = _megabytes(process)
                while min(map(bulletin.polls, names)) < 60:  # noqa: ASYNC110 - the event is in another process
                    await asyncio.sleep(0.01)
            assert _megabytes(process) - before < 20  # all that was told since would be 48
            newest = {name: bulletin.polls(name) for name in names}
            told = 0
            async with asyncio.timeout(20):
                while newest:
                    for change in (await call.read()).changes:
                        told += 1
                        name = json.loads(change.key)["job"]["name"]
                        if change.resource.custom_info["poll"] >= newest.get(name, 0):
                            newest.pop(name, None)
            assert told < sum(map(bulletin.polls, names)) / 2
            call.cancel()


async def test_who_watched_at_a_server_that_was_killed_goes_on_at_the_next_one(bulletin: Bulletin) -> None:
    bulletin.write("j", message="before")
    with TemporaryDirectory() as folder:
        socket = Path(folder, "s")
        async with ConnectorClient(f"unix:{socket}") as client:
            watcher = Watcher(client, bulletin)
            async with server_at(socket) as process:
                task = client.watch(await watcher.job("j"))
                await until(task, "before")
                process.process.kill()
                await process.ended()
            bulletin.write("j", message="meanwhile")
            async with server_at(socket):
                await until(task, "meanwhile")
                assert task.is_live
                bulletin.write("j", phase="SUCCEEDED", message="done")
                await until(task, "done")


async def test_a_server_that_stops_ends_its_streams_at_once(bulletin: Bulletin) -> None:
    bulletin.write("j", size=60_000)
    async with watching(bulletin, grace=60) as (watcher, process):
        request = watch_pb2.WatchTasksRequest(
            subscribe=[watch_pb2.TaskSubscription(key=b"j", task=await watcher.job("j"))]
        )
        async with grpc.aio.insecure_channel(watcher.client.target) as channel:
            read, unread = _stub(channel).WatchTasks(), _stub(channel).WatchTasks()
            for call in (read, unread):
                await call.write(request)
            await read.read()
            process.terminate()
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await _read_on(read)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            assert error_info(caught.value).reason == "DRAINING"
            assert await process.ended() == 0
            unread.cancel()


async def test_watching_renews_the_lease(bulletin: Bulletin) -> None:
    for name in ("watched", "abandoned"):
        bulletin.write(name)
    settings = {"lease": "eager=2", "on_orphan": "eager=delete", "reap_every": 0.1}
    async with watching(bulletin, **settings) as (watcher, _), JobClient(watcher.client.target) as jobs:
        request = await watcher.job("watched", key="watched")
        task = watcher.client.watch(request)
        await watcher.job("abandoned", key="abandoned")
        async with asyncio.timeout(30):
            while (await jobs.job("abandoned")).state != jobs_pb2.Job.DELETED:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert (await jobs.job("watched")).state == jobs_pb2.Job.LIVE
        assert task.is_live


async def test_scopes_hold_for_each_job_and_a_refusal_is_written_down(tmp_path: Path, bulletin: Bulletin) -> None:
    bulletin.write("j", message="secret")
    tokens, audit = tmp_path / "tokens.yaml", tmp_path / "audit.jsonl"
    callers = [{"name": "reader", "scopes": ["eager:get", "eager:create", "lazy:create"], "token": TOKEN}]
    tokens.write_text(yaml.safe_dump({"callers": callers}))
    with TemporaryDirectory() as folder:
        socket = Path(folder, "s")
        async with server_at(socket, tokens=tokens, audit_log=audit):
            async with ConnectorClient(f"unix:{socket}", token=BearerToken.of(TOKEN)) as client:
                watcher = Watcher(client, bulletin)
                refused = client.watch(await watcher.job("j", "lazy"))
                with pytest.raises(PermissionDeniedError, match="may not get tasks of type 'lazy'"):
                    await until(refused, "secret")
                await until(client.watch(await watcher.job("j")), "secret")
                request = refused.request
            async with ConnectorClient(f"unix:{socket}") as nobody:
                heard: asyncio.Future[WatchedTask] = asyncio.get_running_loop().create_future()
                nobody.watch(request, heard.set_result)
                async with asyncio.timeout(20):
                    assert isinstance((await heard).error, UnauthenticatedError)
    lines = [json.loads(line) for line in audit.read_text().splitlines()]
    (line,) = [line for line in lines if line["code"] == "PERMISSION_DENIED"]
    assert (line["caller"], line["operation"], line["task_type"]) == ("reader", "GetTask", "lazy")
    assert bulletin.polls("j") > 0


async def test_handles_of_others_are_refused_where_handles_are_signed(tmp_path: Path, bulletin: Bulletin) -> None:
    bulletin.write("j", message="hello")
    keys = tmp_path / "keys"
    keys.write_text("k" * 32)
    async with watching(bulletin, handle_keys=keys) as (watcher, _):
        request = await watcher.job("j")
        await until(watcher.client.watch(request), "hello")
        forged = pb.GetTaskRequest(
            resource_meta=request.resource_meta.replace(b'"j"', b'"k"'), task_category=request.task_category
        )
        with pytest.raises(InvalidTaskError, match="not signed by this service"):
            await until(watcher.client.watch(forged), "hello")


async def test_where_jobs_cannot_be_watched_that_is_said() -> None:
    with TemporaryDirectory() as folder:
        server = grpc.aio.server()
        server.add_insecure_port(f"unix:{folder}/s")
        await server.start()
        async with ConnectorClient(f"unix:{folder}/s") as client:
            for _ in range(2):
                with pytest.raises(UnsupportedError):
                    await until(client.watch(pb.GetTaskRequest(resource_meta=b"j")), "never")
        await server.stop(None)


async def test_a_stream_whose_caller_wants_nothing_more_ends_with_its_last_job() -> None:
    async with serving(TrivialConnector()) as peer:
        call = await _subscribed(peer, b"a", b"b")
        await call.done_writing()
        changes = [change async for response in call for change in response.changes]
        assert {(change.key, change.resource.phase, change.ended) for change in changes} == {
            (name, Phase.SUCCEEDED, True) for name in (b"a", b"b")
        }
        assert await call.code() is grpc.StatusCode.OK


async def test_bytes_that_are_no_request_end_the_stream_alone() -> None:
    async with serving(TrivialConnector()) as peer:
        call: Any = peer.channel.stream_stream("/connectory.v1.TaskWatchService/WatchTasks")()
        await call.write(b"\xff\xff\xff")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert (await (await _subscribed(peer, b"a")).read()).changes[0].ended


async def test_what_is_too_large_for_a_stream_is_asked_for(bulletin: Bulletin) -> None:
    bulletin.write("j", size=2_000_000, phase="SUCCEEDED")
    async with serving(EagerConnector()) as peer, ConnectorClient(peer.server.addresses[0]) as client:
        request = await Watcher(client, bulletin).job("j")
        (resource,) = [resource async for resource in client.watch(request)]
        assert resource.custom_info["text"] == "x" * 2_000_000
        stream = _stub(peer.channel).WatchTasks()
        await stream.write(watch_pb2.WatchTasksRequest(subscribe=[watch_pb2.TaskSubscription(key=b"j", task=request)]))
        (change,) = (await stream.read()).changes
        assert (change.too_large, change.ended) == (True, True)
        stream.cancel()


async def test_a_stream_is_measured_as_a_call_and_jobs_as_watched(bulletin: Bulletin) -> None:
    bulletin.write("j", message="hello")
    async with (
        serving(EagerConnector(), metrics_address="127.0.0.1:0") as peer,
        ConnectorClient(peer.server.addresses[0]) as client,
    ):
        await until(client.watch(await Watcher(client, bulletin).job("j")), "hello")
        samples = await scrape(peer)
    assert samples[key("connectory_watched_jobs", category="eager@0")] == 1
    assert samples[key("connectory_watch_polls_total", category="eager@0", outcome="answered")] >= 1
    assert samples[key("connectory_requests_in_flight", operation="WatchTasks", task_type="unknown")] == 1


async def test_a_stream_is_one_span_and_polls_are_not_part_of_it(bulletin: Bulletin) -> None:
    traces: list[object] = []

    class Traced(EagerConnector):
        async def get(self, job: BulletinJob, ctx: JobContext) -> Resource:
            traces.append(trace_ids())
            return await super().get(job, ctx)

    bulletin.write("j", message="hello")
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with (
        serving(Traced(), tracer_provider=provider) as peer,
        ConnectorClient(peer.server.addresses[0]) as client,
    ):
        await until(client.watch(await Watcher(client, bulletin).job("j")), "hello")
    spans = [span.name for span in exporter.get_finished_spans()]
    assert spans == ["connectory.v1.AsyncConnectorService/CreateTask", "connectory.v1.TaskWatchService/WatchTasks"]
    assert set(traces) == {None}


async def _subscribed(peer: Peer, *names: bytes) -> Any:
    created = await peer.jobs.CreateTask(create_request("trivial"))
    task = pb.GetTaskRequest(resource_meta=created.resource_meta, task_category=pb.TaskCategory(name="trivial"))
    call = _stub(peer.channel).WatchTasks()
    subscriptions = [watch_pb2.TaskSubscription(key=name, task=task) for name in names]
    await call.write(watch_pb2.WatchTasksRequest(subscribe=subscriptions))
    return call


async def _read_on(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


def _stub(channel: grpc.aio.Channel) -> Any:
    return TaskWatchServiceStub(channel)  # type: ignore[no-untyped-call, unused-ignore]


def _megabytes(process: ServerProcess) -> float:
    for line in Path(f"/proc/{process.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the process does not tell its memory")
