"""Watched jobs are polled once for all, by turns, and within the limits of their connector."""

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from connectory.connector.contract import AsyncConnector, CreateContext, JobContext, Phase, Resource
from connectory.connector.job_policies import Policies
from connectory.connector.limits import Limits
from connectory.connector.registry import Registry
from connectory.connector.watching import lanes
from connectory.connector.watching.jobs import WatchedJob
from connectory.errors import ConnectorError, DeadlineExceededError, InternalError, RateLimitedError, UnavailableError
from connectory.testing import dispatching
from connectory.v1 import connector_pb2 as pb
from tests.connectory.connector.fakes import FakeConfig, FakeJob


class Clocked(AsyncConnector[FakeConfig, FakeJob]):
    """Its jobs run for ever; a test says how a poll goes."""

    name = "Clocked"
    task_type = "clocked"
    poll_every = timedelta(milliseconds=20)

    def __init__(self) -> None:
        self.polls: list[str] = []
        self.at_once = 0
        self.most = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.report: Callable[[str], Resource] = lambda _: Resource(phase=Phase.RUNNING)

    async def create(self, ctx: CreateContext[FakeConfig]) -> FakeJob:
        return FakeJob(job_id=ctx.idempotency_key)

    async def get(self, job: FakeJob, ctx: JobContext) -> Resource:
        self.polls.append(job.job_id)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await self.gate.wait()
            return self.report(job.job_id)
        finally:
            self.at_once -= 1

    async def delete(self, job: FakeJob, ctx: JobContext) -> None:
        return None


class Blocking(Clocked):
    """Its `get` is a plain function."""

    name = "Blocking"
    task_type = "blocking"
    pool_size = 2

    def __init__(self) -> None:
        super().__init__()
        self.counting = threading.Lock()

    def get(self, job: FakeJob, ctx: JobContext) -> Resource:  # type: ignore[override]
        with self.counting:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        try:
            return self.report(job.job_id)
        finally:
            with self.counting:
                self.at_once -= 1


class Limited(Clocked):
    """May be polled a thousand times a second."""

    name = "Limited"
    task_type = "limited"
    limits = Limits(polls_per_second=1000, poll_burst=1, queue=40)


class Listener:
    """Hears of jobs."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, object, bool]] = []
        self._more = asyncio.Condition()
        self._noting: set[asyncio.Task[None]] = set()

    def news(self, job: WatchedJob) -> None:
        known = job.known
        what: object = type(known) if isinstance(known, ConnectorError) else (known.message if known else None)
        self.heard.append((job.key.handle.decode(), what, job.ended))
        task = asyncio.create_task(self._tell())
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _tell(self) -> None:
        async with self._more:
            self._more.notify_all()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self._more:
            await self._more.wait_for(is_so)

    @property
    def said(self) -> list[object]:
        return [what for _, what, _ in self.heard]


def request(name: str, task_type: str = "clocked") -> pb.GetTaskRequest:
    handle = f'{{"v":1,"category":"{task_type}@0","job":{{"job_id":"{name}"}}}}'
    return pb.GetTaskRequest(resource_meta=handle.encode(), task_category=pb.TaskCategory(name=task_type))


async def test_a_second_watcher_hears_at_once_what_is_known() -> None:
    connector = Clocked()
    connector.poll_every = timedelta(hours=1)  # type: ignore[misc]
    async with dispatching(connector) as dispatcher:
        first, second = Listener(), Listener()
        dispatcher.watching.watch(request("a"), first)
        await first.until(lambda: len(first.heard) == 1)
        dispatcher.watching.watch(request("a"), second)
        assert second.said == [""]
    assert connector.polls == ["a"]


async def test_what_does_not_change_is_told_once() -> None:
    connector = Clocked()
    listener = Listener()
    connector.report = lambda _: Resource(
        phase=Phase.RUNNING,
        message="still" if len(connector.polls) < 10 else "at last",
        poll_after=timedelta(milliseconds=20 + len(connector.polls)),
    )
    async with dispatching(connector) as dispatcher:
        dispatcher.watching.watch(request("a"), listener)
        await listener.until(lambda: "at last" in listener.said)
    assert listener.said == ["still", "at last"]


async def test_facts_that_a_connector_changes_in_place_are_changes() -> None:
    connector, listener, facts = Clocked(), Listener(), {"done": 0}

    def report(_: str) -> Resource:
        facts["done"] += 1
        return Resource(phase=Phase.RUNNING, custom_info=facts)

    connector.report = report
    async with dispatching(connector) as dispatcher:
        dispatcher.watching.watch(request("a"), listener)
        await listener.until(lambda: len(listener.heard) == 5)


async def test_a_poll_that_never_returns_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "POLL_LIMIT", 0.01)
    monkeypatch.setattr("connectory.connector.watching.hub._SWEEP", 0.02)
    connector, listener = Clocked(), Listener()
    connector.gate.clear()
    async with dispatching(connector) as dispatcher:
        job = dispatcher.watching.watch(request("a"), listener)
        await listener.until(lambda: DeadlineExceededError in listener.said)
        assert not job.ended
        monkeypatch.setattr(lanes, "POLL_LIMIT", 60.0)
        connector.gate.set()
        await listener.until(lambda: "" in listener.said)


async def test_many_jobs_are_polled_at_once_but_not_more_than_a_connector_has_threads_for() -> None:
    clocked, blocking, listener = Clocked(), Blocking(), Listener()
    clocked.gate.clear()
    async with dispatching(clocked, blocking) as dispatcher:
        for number in range(100):
            dispatcher.watching.watch(request(f"c{number}"), listener)
            dispatcher.watching.watch(request(f"b{number}", "blocking"), listener)
        await listener.until(lambda: len(listener.heard) == 100)
        async with asyncio.timeout(20):
            while clocked.at_once < 100:  # noqa: ASYNC110 - nobody tells of polls that are under way
                await asyncio.sleep(0)
        clocked.gate.set()
        await listener.until(lambda: len(listener.heard) == 200)
    assert blocking.most <= 2


async def test_limited_polls_are_made_by_turns_and_leave_room_for_others() -> None:
    connector, listener = Limited(), Listener()
    async with dispatching(connector) as dispatcher:
        for number in range(200):
            dispatcher.watching.watch(request(str(number), "limited"), listener)
        answers = await asyncio.gather(*(dispatcher.get(request(f"other {number}", "limited")) for number in range(20)))
        assert {answer.resource.phase for answer in answers} == {Phase.RUNNING}
        await listener.until(lambda: len(listener.heard) == 200)
        (count,) = dispatcher.gates.counts()
    assert count.refused["get"] == 0
    assert set(listener.said) == {""}


async def test_a_system_that_wants_to_be_left_alone_is() -> None:
    connector, listener, asked = Clocked(), Listener(), 0

    def report(name: str) -> Resource:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise RateLimitedError("429", retry_after=timedelta(milliseconds=200))
        return Resource(phase=Phase.RUNNING, message=name)

    connector.report = report
    async with dispatching(connector) as dispatcher:
        began = asyncio.get_running_loop().time()
        for name in "abc":
            dispatcher.watching.watch(request(name), listener)
        await listener.until(lambda: len(listener.heard) == 3)
        assert asyncio.get_running_loop().time() - began >= 0.15
    assert sorted(map(str, listener.said)) == ["a", "b", "c"]


async def test_the_connector_that_answers_now_is_asked() -> None:
    old, new, listener = Clocked(), Clocked(), Listener()
    new.report = lambda _: Resource(phase=Phase.SUCCEEDED, message="from the new one")
    async with dispatching(old) as dispatcher:
        dispatcher.watching.watch(request("a"), listener)
        await listener.until(lambda: len(listener.heard) == 1)
        registry = Registry()
        registry.register(new)
        dispatcher.registry = registry
        await listener.until(lambda: "from the new one" in listener.said)
    assert listener.heard[-1][2]


async def test_a_connector_that_was_replaced_is_closed_before_its_jobs_are_polled_again() -> None:
    class Closing(Clocked):
        poll_every = timedelta(hours=1)

        async def close(self) -> None:
            closed.set()

    class OwnError(UnavailableError):
        def __init__(self) -> None:
            super().__init__("away", retry_after=timedelta(hours=1))

    def report(name: str) -> Resource:
        if name == "b":
            raise OwnError
        return Resource(phase=Phase.RUNNING)

    closed, listener, registry, old = asyncio.Event(), Listener(), Registry(), Closing()
    old.report = report
    async with dispatching(old) as dispatcher:
        for name in "ab":
            dispatcher.watching.watch(request(name), listener)
        await listener.until(lambda: len(listener.heard) == 2)
        registry.register(Clocked())
        dispatcher.change(registry, policies=Policies(), limits={})
        async with asyncio.timeout(20):
            await closed.wait()
    assert set(listener.said) == {"", UnavailableError}


async def test_a_connector_that_declares_nonsense_stops_no_polling() -> None:
    connector, listener = Clocked(), Listener()
    async with dispatching(connector) as dispatcher:
        connector.poll_every = 5  # type: ignore[assignment,misc]
        job = dispatcher.watching.watch(request("a"), listener)
        await listener.until(lambda: InternalError in listener.said)
        assert not job.ended
        connector.poll_every = timedelta(milliseconds=20)  # type: ignore[misc]
        await listener.until(lambda: listener.said[-1] == "")


async def test_jobs_that_nobody_watches_are_counted_no_more() -> None:
    connector, listener = Clocked(), Listener()
    async with dispatching(connector) as dispatcher:
        watching = dispatcher.watching
        jobs = [watching.watch(request(name), listener) for name in "ab"]
        await listener.until(lambda: len(listener.heard) == 2)
        assert [count.jobs for count in watching.counts()] == [2]
        for job in jobs:
            watching.unwatch(job, listener)
            watching.unwatch(job, listener)
        (count,) = watching.counts()
        assert count.jobs == 0
        assert count.polls == len(connector.polls)
