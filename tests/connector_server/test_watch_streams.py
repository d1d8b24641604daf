"""What one stream keeps for its caller, and what it refuses."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.rpc import status_pb2

from connector_server import watch_streams, watching
from connector_server.watch_streams import WatchStream
from connectory.client.connector import ConnectorClient
from connectory.client.tokens import BearerToken
from connectory.client.watched_task import WatchedTask
from connectory.connector.contract import JobContext, Phase, Resource
from connectory.connector.dispatch import Dispatcher
from connectory.connector.status import from_status
from connectory.errors import ConnectorError, PermissionDeniedError, RateLimitedError, UnauthenticatedError
from connectory.testing import dispatching
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import watch_pb2
from connectory.v1.watch_pb2_grpc import TaskWatchServiceStub
from tests.connector_server.fakes import Job, TrivialConnector
from tests.connector_server.harness import create_request, serving

TOKEN = "a-token-of-good-length-for-tests"


class Steered(TrivialConnector):
    """Its jobs say what the test says."""

    name = "Steered"
    task_type = "steered"

    def __init__(self) -> None:
        self.says: dict[str, Resource] = {}
        self.asked = asyncio.Condition()
        self.polls = 0

    async def get(self, job: Job, ctx: JobContext) -> Resource:
        async with self.asked:
            self.polls += 1
            self.asked.notify_all()
        return self.says.get(job.id, Resource(phase=Phase.RUNNING))

    async def polled(self, times: int) -> None:
        """Wait for so many more polls."""
        until = self.polls + times
        async with asyncio.timeout(20), self.asked:
            await self.asked.wait_for(lambda: self.polls >= until)


def task(name: str) -> pb.GetTaskRequest:
    handle = json.dumps({"v": 1, "category": "steered@0", "job": {"id": name}})
    return pb.GetTaskRequest(resource_meta=handle.encode(), task_category=pb.TaskCategory(name="steered"))


def request(*names: str, **more: Any) -> watch_pb2.WatchTasksRequest:
    wanted = [watch_pb2.TaskSubscription(key=name.encode(), task=task(name)) for name in names]
    return watch_pb2.WatchTasksRequest(subscribe=wanted, **more)


def stream_to(dispatcher: Dispatcher, **options: Any) -> WatchStream:
    return WatchStream(dispatcher.watching, lambda _: None, **options)


async def heard(stream: WatchStream) -> dict[bytes, watch_pb2.TaskChange]:
    async with asyncio.timeout(20):
        response = await stream.changes()
    assert response is not None
    return {change.key: change for change in response.changes}


async def test_what_falls_together_is_told_together_and_only_the_newest_of_each_job() -> None:
    connector = Steered()
    async with dispatching(connector) as dispatcher:
        stream = stream_to(dispatcher)
        await stream.take(request("a", "b"))
        await connector.polled(4)
        connector.says = {name: Resource(phase=Phase.RUNNING, message="newer") for name in "ab"}
        await connector.polled(6)
        told = await heard(stream)
    assert {key: change.resource.message for key, change in told.items()} == {b"a": "newer", b"b": "newer"}


async def test_one_message_has_so_many_bytes() -> None:
    connector = Steered()
    connector.says = {name: Resource(phase=Phase.SUCCEEDED, message=name * 600) for name in "abcd"}
    connector.says["e"] = Resource(phase=Phase.SUCCEEDED, message="e" * 2000)
    async with dispatching(connector) as dispatcher:
        stream = stream_to(dispatcher, largest=1000)
        await stream.take(request(*"abcde"))
        await connector.polled(5)
        sizes = []
        told: dict[bytes, watch_pb2.TaskChange] = {}
        while len(told) < 5:
            answer = await heard(stream)
            sizes.append(len(answer))
            told |= answer
        assert max(sizes) <= 3
        assert {key for key, change in told.items() if change.too_large} == {b"e"}
        assert all(change.ended for change in told.values())
        stream.finish()
        assert await stream.changes() is None


async def test_a_key_that_is_used_again_means_the_new_job() -> None:
    connector = Steered()
    connector.says = {"a": Resource(phase=Phase.RUNNING, message="a"), "b": Resource(phase=Phase.RUNNING, message="b")}
    async with dispatching(connector) as dispatcher:
        stream = stream_to(dispatcher)
        for name in "ab":
            await stream.take(
                watch_pb2.WatchTasksRequest(subscribe=[watch_pb2.TaskSubscription(key=b"k", task=task(name))])
            )
        assert (await heard(stream))[b"k"].resource.message == "b"
        assert sum(count.jobs for count in dispatcher.watching.counts()) == 1
        await stream.take(watch_pb2.WatchTasksRequest(unsubscribe=[b"k", b"never used"]))
        assert sum(count.jobs for count in dispatcher.watching.counts()) == 0


async def test_a_stream_watches_so_many_jobs_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_streams, "MOST_SUBSCRIPTIONS", 2)
    async with dispatching(Steered()) as dispatcher:
        stream = stream_to(dispatcher)
        await stream.take(request("a", "b", "c"))
        told = await heard(stream)
        assert told[b"c"].ended
        assert "this stream watches 2 jobs, which are the most" in told[b"c"].error.message
        await stream.take(request("c", unsubscribe=[b"a"]))
        while b"c" not in (told := await heard(stream)):
            continue
        assert told[b"c"].resource.phase == Phase.RUNNING


async def test_all_streams_of_a_process_watch_so_many_jobs_together() -> None:
    room = watch_streams.WatchRoom(most=3)
    async with dispatching(Steered()) as dispatcher:
        one, other = stream_to(dispatcher, room=room), stream_to(dispatcher, room=room)
        await one.take(request("a", "b"))
        await other.take(request("a", "c"))
        told = await heard(other)
        assert told[b"c"].ended
        error = from_status(status_pb2.Status.FromString(told[b"c"].error.SerializeToString()))
        assert isinstance(error, RateLimitedError)
        assert (error.reason, error.retry_after) == ("OVERLOADED", timedelta(seconds=30))
        assert "the process watches 3 jobs already" in error.message
        await one.take(request("b", unsubscribe=[b"a"]))
        await other.take(request("c"))
        while b"c" not in (told := await heard(other)):
            continue
        assert told[b"c"].resource.phase == Phase.RUNNING
        one.close()
        other.close()
        assert room.taken == 0


@pytest.mark.parametrize(
    ("subscription", "said"),
    [
        (watch_pb2.TaskSubscription(key=b"k" * 1025, task=task("a")), "key: it has 1025 bytes; 1024 are the most"),
        (watch_pb2.TaskSubscription(key=b"k", task=task("a" * 70_000)), "more than 65536 bytes is polled, not watched"),
        (watch_pb2.TaskSubscription(key=b"k"), "task.resource_meta: it is required"),
        (watch_pb2.TaskSubscription(), "task.resource_meta: it is required"),
    ],
)
async def test_what_cannot_be_watched_is_refused(subscription: watch_pb2.TaskSubscription, said: str) -> None:
    async with dispatching(Steered()) as dispatcher:
        stream = stream_to(dispatcher)
        await stream.take(watch_pb2.WatchTasksRequest(subscribe=[subscription]))
        (change,) = (await heard(stream)).values()
    assert (change.error.code, change.ended) == (3, True)
    assert said in change.error.message


async def test_a_long_handle_that_is_refused_is_told_by_its_whole_name() -> None:
    def refuse(_task: pb.GetTaskRequest) -> None:
        raise PermissionDeniedError("not you")

    tasks = [task("long" * 500 + end) for end in ("one", "two")]
    async with dispatching(Steered()) as dispatcher:
        stream = WatchStream(dispatcher.watching, refuse)
        subscriptions = [watch_pb2.TaskSubscription(task=one) for one in tasks]
        await stream.take(watch_pb2.WatchTasksRequest(subscribe=subscriptions))
        told = await heard(stream)
    assert set(told) == {one.resource_meta for one in tasks}


async def test_a_caller_who_does_not_read_refusals_is_not_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_streams, "_MOST_REFUSED", 3)
    empty = [watch_pb2.TaskSubscription(key=str(number).encode()) for number in range(10)]
    async with dispatching(Steered()) as dispatcher:
        stream = stream_to(dispatcher)
        taking = asyncio.create_task(stream.take(watch_pb2.WatchTasksRequest(subscribe=empty)))
        told: dict[bytes, watch_pb2.TaskChange] = {}
        for _ in range(5):
            await asyncio.sleep(0)
        assert not taking.done()
        while len(told) < 10:
            answer = await heard(stream)
            assert len(answer) <= 3
            told |= answer
        await taking


async def test_a_stream_with_nothing_to_tell_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_SIGN_OF_LIFE", 0.02)
    async with serving(Steered()) as peer:
        call: Any = TaskWatchServiceStub(peer.channel).WatchTasks()  # type: ignore[no-untyped-call, unused-ignore]
        for _ in range(3):
            assert await call.read() == watch_pb2.WatchTasksResponse()
        call.cancel()


@pytest.mark.parametrize("callers", [[], [{"name": "reader", "scopes": ["trivial:create"], "token": TOKEN}]])
async def test_who_may_not_any_more_is_told_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, callers: list[dict[str, Any]]
) -> None:
    monkeypatch.setattr(watching, "_ADMIT_EVERY", 0.05)
    tokens = tmp_path / "tokens.yaml"
    scopes = ["steered:get", "steered:create"]
    tokens.write_text(yaml.safe_dump({"callers": [{"name": "reader", "scopes": scopes, "token": TOKEN}]}))
    connector, refused = Steered(), asyncio.get_running_loop().create_future()
    error: ConnectorError | None = None

    def look(watched: WatchedTask) -> None:
        if watched.error is not None and not refused.done():
            refused.set_result(watched.error)

    async with (
        serving(connector, tokens=tokens) as peer,
        ConnectorClient(peer.server.addresses[0], token=BearerToken.of(TOKEN)) as client,
    ):
        created = await client.create(create_request("steered"))
        asked = pb.GetTaskRequest(resource_meta=created.resource_meta, task_category=pb.TaskCategory(name="steered"))
        watched = client.watch(asked, look)
        await connector.polled(3)
        assert watched.is_live
        nobody = {"name": "nobody", "scopes": ["x:get"], "token": TOKEN[::-1]}
        tokens.write_text(yaml.safe_dump({"callers": [*callers, nobody]}))
        async with asyncio.timeout(20):
            error = await refused
        assert not watched.is_live
    assert isinstance(error, PermissionDeniedError if callers else UnauthenticatedError)
