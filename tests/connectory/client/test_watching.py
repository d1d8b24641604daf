"""A client's one stream: what it asks for, how it outlives trouble, and when it ends."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import pytest

from connectory.client import watching
from connectory.client.connector import ConnectorClient
from connectory.client.watched_task import WatchedTask
from connectory.connector.contract import Phase
from connectory.errors import NotFoundError, UnauthenticatedError, UnavailableError
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import watch_pb2
from connectory.v1.watch_pb2_grpc import TaskWatchServiceServicer, add_TaskWatchServiceServicer_to_server

Context = grpc.aio.ServicerContext


class Scripted(TaskWatchServiceServicer):
    """Notes what it is asked on each stream, and says what the test says."""

    def __init__(self) -> None:
        self.streams: list[list[watch_pb2.WatchTasksRequest]] = []
        self.open = 0
        self.refusal: grpc.StatusCode | None = None
        self.cut = asyncio.Event()
        self.says = pb.Resource(phase=Phase.RUNNING.value, message="hello")  # type: ignore[arg-type]
        self._more = asyncio.Condition()

    async def WatchTasks(
        self, requests: AsyncIterator[watch_pb2.WatchTasksRequest], context: Context
    ) -> AsyncIterator[watch_pb2.WatchTasksResponse]:
        stream: list[watch_pb2.WatchTasksRequest] = []
        self.streams.append(stream)
        self.open += 1
        await self._noted()
        try:
            if self.refusal is not None:
                await context.abort(self.refusal, "not now")
            async for request in requests:
                stream.append(request)
                await self._noted()
                response = watch_pb2.WatchTasksResponse()
                for one in request.subscribe:
                    change = response.changes.add(key=one.key)
                    if one.task.resource_meta == b"gone":
                        change.error.code, change.error.message, change.ended = 5, "there is no such job", True
                    else:
                        change.resource.CopyFrom(self.says)
                        change.ended = self.says.phase == Phase.SUCCEEDED
                yield response
                if self.cut.is_set():
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
        finally:
            self.open -= 1
            await self._noted()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self._more:
            await self._more.wait_for(is_so)

    async def _noted(self) -> None:
        async with self._more:
            self._more.notify_all()

    def asked(self, stream: int) -> list[bytes]:
        return [one.task.resource_meta for request in self.streams[stream] for one in request.subscribe]


@pytest.fixture
def address() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"unix:{Path(folder) / 's'}"


@asynccontextmanager
async def served(address: str, script: Scripted) -> AsyncIterator[None]:
    server = grpc.aio.server()
    add_TaskWatchServiceServicer_to_server(script, server)  # type: ignore[no-untyped-call, unused-ignore]
    server.add_insecure_port(address)
    await server.start()
    try:
        yield
    finally:
        await server.stop(None)


class Ear:
    """Hears of jobs."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._more = asyncio.Event()

    def __call__(self, task: WatchedTask) -> None:
        what = task.resource.message if task.resource is not None else type(task.error).__name__
        self.heard.append(what)
        self._more.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not is_so():
                self._more.clear()
                await self._more.wait()


def job(name: bytes = b"j") -> pb.GetTaskRequest:
    return pb.GetTaskRequest(resource_meta=name, task_category=pb.TaskCategory(name="t"))


async def test_jobs_are_asked_for_together_on_one_stream(address: str) -> None:
    script, ear = Scripted(), Ear()
    async with served(address, script), ConnectorClient(address) as client:
        tasks = [client.watch(job(str(number).encode()), ear) for number in range(700)]
        await ear.until(lambda: len(ear.heard) == 700)
        assert all(task.is_live for task in tasks)
    assert [len(request.subscribe) for request in script.streams[0]] == [500, 200]
    assert len(script.streams) == 1


async def test_who_closes_is_told_nothing_more_and_the_service_hears_of_it(address: str) -> None:
    script, ear = Scripted(), Ear()
    async with served(address, script), ConnectorClient(address) as client:
        task, other = client.watch(job(), ear), client.watch(job(b"other"), ear)
        await ear.until(lambda: len(ear.heard) == 2)
        task.close()
        task.close()
        await script.until(lambda: any(request.unsubscribe for request in script.streams[0]))
        assert [resource.message async for resource in task] == ["hello"]
        assert not task.is_live
        assert other.is_live
    assert [list(request.unsubscribe) for request in script.streams[0] if request.unsubscribe] == [[task.key]]


async def test_a_stream_that_breaks_is_opened_again_for_the_jobs_that_are_left(address: str) -> None:
    script, ear = Scripted(), Ear()
    async with served(address, script), ConnectorClient(address) as client:
        closed, left = client.watch(job(b"closed"), ear), client.watch(job(b"left"), ear)
        await ear.until(lambda: len(ear.heard) == 2)
        closed.close()
        script.cut.set()
        broken = client.watch(job(b"broken"), ear)
        await script.until(lambda: len(script.streams) == 2)
        script.cut.clear()
        await script.until(lambda: b"left" in script.asked(len(script.streams) - 1))
        assert set(script.asked(len(script.streams) - 1)) == {b"left", b"broken"}
        assert left.is_live
        assert broken.error is None
    assert "UnavailableError" not in ear.heard


async def test_who_hears_nothing_for_long_is_told_so_and_hears_again(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_LOST_AFTER", 0.05)
    monkeypatch.setattr(watching, "_SLOWEST_RETRY", 0.05)
    ear = Ear()
    async with ConnectorClient(address) as client:
        async with served(address, Scripted()):
            task = client.watch(job(), ear)
            await ear.until(lambda: task.is_live)
        await ear.until(lambda: isinstance(task.error, UnavailableError))
        assert not task.is_live
        assert not task.ended
        async with served(address, Scripted()):
            await ear.until(lambda: task.is_live)
    assert ear.heard == ["hello", "UnavailableError", "hello"]


async def test_a_stream_that_is_silent_is_taken_for_broken(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_SILENT", 0.1)
    script, ear = Scripted(), Ear()
    async with served(address, script), ConnectorClient(address) as client:
        task = client.watch(job(), ear)
        await script.until(lambda: len(script.streams) > 2)
        assert task.is_live


async def test_a_refusal_of_the_stream_is_told_at_once_and_once(address: str) -> None:
    script, ear = Scripted(), Ear()
    script.refusal = grpc.StatusCode.UNAUTHENTICATED
    async with served(address, script), ConnectorClient(address) as client:
        task = client.watch(job(), ear)
        await script.until(lambda: len(script.streams) > 2)
        assert isinstance(task.error, UnauthenticatedError)
        script.refusal = None
        await ear.until(lambda: task.is_live)
    assert ear.heard == ["UnauthenticatedError", "hello"]


async def test_an_error_ends_the_job_that_it_is_about(address: str) -> None:
    script = Scripted()
    async with served(address, script), ConnectorClient(address) as client:
        good, gone = client.watch(job()), client.watch(job(b"gone"))
        with pytest.raises(NotFoundError, match="there is no such job"):
            _ = [resource async for resource in gone]
        assert (gone.ended, good.ended) == (True, False)


async def test_a_stream_on_which_nothing_is_watched_is_closed_after_a_while(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_IDLE", 0.05)
    script = Scripted()
    script.says = pb.Resource(phase=Phase.SUCCEEDED.value)  # type: ignore[arg-type]
    async with served(address, script), ConnectorClient(address) as client:
        for _ in range(2):
            _ = [resource async for resource in client.watch(job())]
            await script.until(lambda: script.open == 0)
    assert len(script.streams) == 2


async def test_a_client_that_closes_ends_its_stream(address: str) -> None:
    script, ear = Scripted(), Ear()
    async with served(address, script):
        async with ConnectorClient(address) as client:
            client.watch(job(), ear)
            await ear.until(lambda: len(ear.heard) == 1)
        await script.until(lambda: script.open == 0)


async def test_who_watches_while_an_idle_stream_is_being_closed_is_served(address: str) -> None:
    script, ear = Scripted(), Ear()
    async with served(address, script), ConnectorClient(address) as client:
        client.watch(job(), ear).close()
        await script.until(lambda: script.open == 1)
        client._watch._stop()
        client.watch(job(b"next"), ear)
        await ear.until(lambda: len(ear.heard) == 1)
