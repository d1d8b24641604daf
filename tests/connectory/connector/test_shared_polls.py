"""Who asks about a job while somebody else does shares the answer, and how a job ended is remembered."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectory.connector import shared_polls
from connectory.connector.contract import JobContext, Phase, Resource
from connectory.connector.dispatch import Dispatcher
from connectory.errors import DeadlineExceededError, UnavailableError
from connectory.testing import dispatching
from connectory.v1 import connector_pb2 as pb
from tests.connectory.connector.fakes import FakeConnector, FakeJob, FakeSystem

CATEGORY = pb.TaskCategory(name="asked")


class Asked(FakeConnector):
    """Counts its polls, which wait until the test lets them answer."""

    name = "Asked"
    task_type = "asked"

    def __init__(self) -> None:
        super().__init__(FakeSystem())
        self.polls = 0
        self.phase: Phase = Phase.RUNNING
        self.failure: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()

    async def get(self, job: FakeJob, ctx: JobContext) -> Resource:
        self.polls += 1
        self.asked.set()
        by = ctx.connection.secrets["user"] if ctx.connection is not None else "the service"
        try:
            if ctx.deadline is not None:
                async with asyncio.timeout((ctx.deadline - datetime.now(UTC)).total_seconds()):
                    await self.gate.wait()
            await self.gate.wait()
        except TimeoutError:
            raise DeadlineExceededError("the caller waits no longer") from None
        if self.failure is not None:
            raise self.failure
        return Resource(phase=self.phase, message=f"for {by}")


def request(number: int = 1, secrets: Mapping[str, str] | None = None, prefix: str = "") -> pb.GetTaskRequest:
    handle = b'{"v":1,"category":"asked@0","job":{"job_id":"job-%d"}}' % number
    asked = pb.GetTaskRequest(resource_meta=handle, task_category=CATEGORY, output_prefix=prefix)
    if secrets is not None:
        asked.connection.secrets.update(secrets)
    return asked


async def under_way(dispatcher: Dispatcher, *requests: pb.GetTaskRequest) -> list["asyncio.Task[Any]"]:
    """Questions that have all been asked."""
    tasks = [asyncio.create_task(dispatcher.get(one)) for one in requests]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_callers_at_once_share_one_poll() -> None:
    connector = Asked()
    connector.gate.clear()
    async with dispatching(connector) as dispatcher:
        tasks = await under_way(dispatcher, *[request()] * 20)
        connector.gate.set()
        answers = await asyncio.gather(*tasks)
        assert {answer.resource.message for answer in answers} == {"for the service"}
        assert connector.polls == 1
        await dispatcher.get(request())
        assert connector.polls == 2


async def test_failures_are_shared_too() -> None:
    connector = Asked()
    connector.gate.clear()
    connector.failure = UnavailableError("the system is away", retry_after=timedelta(seconds=3))
    async with dispatching(connector) as dispatcher:
        tasks = await under_way(dispatcher, request(), request())
        connector.gate.set()
        errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert connector.polls == 1
    for error in errors:
        assert isinstance(error, UnavailableError)
        assert (error.message, error.retry_after) == ("the system is away", timedelta(seconds=3))


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.SUCCEEDED])
async def test_callers_with_other_credentials_or_places_are_answered_by_polls_of_their_own(phase: Phase) -> None:
    connector = Asked()
    connector.phase = phase
    connector.gate.clear()
    async with dispatching(connector) as dispatcher:
        tasks = await under_way(
            dispatcher, request(), request(secrets={"user": "ada"}), request(secrets={"user": "bob"})
        )
        connector.gate.set()
        said = [answer.resource.message for answer in await asyncio.gather(*tasks)]
        assert said == ["for the service", "for ada", "for bob"]
        assert (await dispatcher.get(request(secrets={"user": "bob"}))).resource.message == "for bob"
        await dispatcher.get(request(prefix="memory://elsewhere"))
    assert connector.polls == (5 if phase is Phase.RUNNING else 4)


async def test_a_caller_who_goes_away_takes_no_answer_from_the_others() -> None:
    connector = Asked()
    connector.gate.clear()
    async with dispatching(connector) as dispatcher:
        first, second, third = await under_way(dispatcher, request(), request(), request())
        first.cancel()
        await asyncio.wait([first])
        third.cancel()
        await asyncio.wait([third])
        connector.gate.set()
        assert (await second).resource.phase == Phase.RUNNING
    assert connector.polls == 2


async def test_a_caller_in_a_hurry_does_not_hurry_the_others() -> None:
    connector = Asked()
    connector.gate.clear()
    async with dispatching(connector) as dispatcher:
        soon = datetime.now(UTC) + timedelta(milliseconds=10)
        hurried = asyncio.create_task(dispatcher.get(request(), deadline=soon))
        await connector.asked.wait()
        (patient,) = await under_way(dispatcher, request())
        with pytest.raises(DeadlineExceededError):
            await hurried
        connector.gate.set()
        assert (await patient).resource.phase == Phase.RUNNING


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase.is_terminal])
async def test_how_a_job_ended_is_remembered(phase: Phase) -> None:
    connector = Asked()
    connector.phase = phase
    async with dispatching(connector) as dispatcher:
        answers = [await dispatcher.get(request()) for _ in range(3)]
    assert [answer.resource.phase for answer in answers] == [phase] * 3
    assert connector.polls == 1


async def test_what_is_done_about_a_job_is_seen_by_who_asks_afterwards() -> None:
    connector = Asked()
    async with dispatching(connector) as dispatcher:
        connector.gate.clear()
        (before,) = await under_way(dispatcher, request())
        await dispatcher.delete(pb.DeleteTaskRequest(resource_meta=request().resource_meta, task_category=CATEGORY))
        connector.phase = Phase.ABORTED
        (after,) = await under_way(dispatcher, request())
        connector.gate.set()
        await asyncio.gather(before, after)
        assert connector.polls == 2
        await dispatcher.get(request())
        assert connector.polls == 2
        await dispatcher.delete(pb.DeleteTaskRequest(resource_meta=request().resource_meta, task_category=CATEGORY))
        await dispatcher.get(request())
    assert connector.polls == 3


async def test_a_job_that_is_asked_about_in_many_ways_is_remembered_in_a_few() -> None:
    connector = Asked()
    connector.phase = Phase.SUCCEEDED
    async with dispatching(connector) as dispatcher:
        for number in [*range(20), *range(12, 20), 0]:
            await dispatcher.get(request(prefix=f"memory://{number}"))
    assert connector.polls == 21


async def test_what_is_remembered_takes_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_polls, "MOST_BYTES", 16_000)
    connector = Asked()
    connector.phase = Phase.SUCCEEDED
    async with dispatching(connector) as dispatcher:
        for _ in range(2):
            await dispatcher.get(request(prefix="memory://" + "x" * 1_000))
        assert connector.polls == 2  # too much for itself
        for number in range(40):
            await dispatcher.get(request(number, prefix="memory://" + "x" * 800))
        for number in reversed(range(40)):
            await dispatcher.get(request(number, prefix="memory://" + "x" * 800))
    assert 50 < connector.polls < 82


async def test_the_ends_that_were_not_asked_for_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_polls, "MOST_JOBS", 2)
    connector = Asked()
    connector.phase = Phase.SUCCEEDED
    async with dispatching(connector) as dispatcher:
        for number in (1, 2, 1, 3, 1):
            await dispatcher.get(request(number))
        assert connector.polls == 3
        await dispatcher.get(request(2))
    assert connector.polls == 4
