"""Logs as they are read through the dispatcher: their newest lines, and all that comes until the job has ended."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from connectory.connector.contract import JobContext, LogLine, LogPage, LogRequest, Phase, Resource
from connectory.errors import InvalidTaskError, NotFoundError, UnavailableError, UserError
from connectory.testing import dispatching, task_call
from connectory.v1 import connector_pb2 as pb
from tests.connectory.connector.fakes import FakeConnector, FakeJob

TASK = task_call("fake")


class Writing(FakeConnector):
    """Jobs that write while they run."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = [f"line {number}" for number in range(7)]
        self.ends: Phase | Exception = Phase.RUNNING
        self.read: list[LogRequest] = []
        self.was_read = asyncio.Event()

    async def get(self, job: FakeJob, ctx: JobContext) -> Resource:
        if isinstance(self.ends, Exception):
            raise self.ends
        return Resource(phase=self.ends)

    async def logs(self, job: FakeJob, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        self.read.append(request)
        first = int(request.token or 0)
        for number in range(first, len(self.lines))[: request.lines]:
            yield LogPage(lines=[LogLine(message=self.lines[number])], token=str(number + 1))
        self.was_read.set()

    async def wrote(self, *lines: str) -> None:
        """Write once the log was read up to here."""
        self.was_read.clear()
        await self.was_read.wait()
        self.lines += lines


def request(handle: bytes, **wanted: object) -> pb.GetTaskLogsRequest:
    category = pb.TaskCategory(name="fake")
    return pb.GetTaskLogsRequest(resource_meta=handle, task_category=category, **wanted)  # type: ignore[arg-type]


async def drained(answers: AsyncIterator[pb.GetTaskLogsResponse]) -> tuple[list[str], str]:
    """All lines, and the last token."""
    lines, token = [], ""
    async for answer in answers:
        lines += [line.message for line in answer.body.structured_lines]
        token = answer.header.token or token
    return lines, token


@pytest.mark.parametrize("most", [0, 2])
async def test_the_newest_lines_and_the_token_behind_them(most: int) -> None:
    async with dispatching(Writing()) as dispatcher:
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        lines, token = await drained(dispatcher.logs(request(handle, tail=3, lines=most)))
        assert lines == ["line 4", "line 5", "line 6"][: most or None]
        assert token == "7"
        assert await drained(dispatcher.logs(request(handle, tail=3, token="6"))) == (["line 6"], "7")
        assert await drained(dispatcher.logs(request(handle, tail=3, token="7"))) == ([], "")


async def test_more_newest_lines_than_are_kept_are_refused() -> None:
    async with dispatching(Writing()) as dispatcher:
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        with pytest.raises(InvalidTaskError, match="10001 are more than the 10000 newest lines"):
            await drained(dispatcher.logs(request(handle, tail=10_001)))


@pytest.mark.parametrize("end", [Phase.SUCCEEDED, Phase.FAILED, NotFoundError("somebody deleted it")])
async def test_a_log_is_followed_to_the_end_of_its_job(end: Phase | Exception) -> None:
    connector = Writing()
    async with dispatching(connector) as dispatcher:
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        following = asyncio.create_task(drained(dispatcher.logs(request(handle, tail=1, follow=True))))
        await connector.wrote("more")
        await connector.wrote("and more")
        connector.lines.append("last words")
        connector.ends = end
        assert await following == (["line 6", "more", "and more", "last words"], "10")


async def test_a_job_that_cannot_be_asked_about_for_a_while_has_not_ended() -> None:
    connector = Writing()
    connector.ends = UnavailableError("the system does not answer")
    async with dispatching(connector) as dispatcher:
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        following = asyncio.create_task(drained(dispatcher.logs(request(handle, token="7", follow=True))))
        await connector.wrote("after all")
        await connector.wrote()
        connector.ends = Phase.SUCCEEDED
        assert await following == (["after all"], "8")


async def test_that_a_job_cannot_be_asked_about_is_said_after_its_lines() -> None:
    connector = Writing()
    connector.ends = UserError("its outputs cannot be read")
    async with dispatching(connector) as dispatcher:
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        answers = dispatcher.logs(request(handle, tail=1, follow=True))
        assert (await anext(answers)).body.results == ["line 6"]
        assert (await anext(answers)).header.token == "7"
        connector.lines.append("last words")
        assert (await anext(answers)).body.results == ["last words"]
        assert (await anext(answers)).header.token == "8"
        with pytest.raises(UserError, match="its outputs cannot be read"):
            await anext(answers)


async def test_what_is_followed_ends_after_as_many_lines_as_were_wanted() -> None:
    connector = Writing()
    async with dispatching(connector) as dispatcher:
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        following = asyncio.create_task(drained(dispatcher.logs(request(handle, lines=8, follow=True))))
        await connector.wrote("8th", "9th")
        lines, token = await following
    assert (len(lines), lines[-1], token) == (8, "8th", "8")


async def test_what_is_followed_ends_as_unavailable_when_the_server_stops() -> None:
    connector = Writing()
    async with dispatching(connector) as dispatcher:
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        answers = dispatcher.logs(request(handle, follow=True, token="6"))
        assert (await anext(answers)).body.results == ["line 6"]
        assert (await anext(answers)).header.token == "7"
        dispatcher.reading.stop()
        with pytest.raises(UnavailableError, match="at another one by its token"):
            await anext(answers)


class Complete(Writing):
    """Has no tokens: its log is told as a whole."""

    async def logs(self, job: FakeJob, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        yield LogPage(lines=[LogLine(message="all")], token="")


async def test_a_log_without_tokens_is_not_told_again_and_again() -> None:
    async with dispatching(Complete()) as dispatcher:
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        assert await drained(dispatcher.logs(request(handle, follow=True))) == (["all"], "")


class Wordy(Writing):
    """Has a page, and a line, that no client takes in one message."""

    async def logs(self, job: FakeJob, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        euros = [LogLine(message="\N{EURO SIGN}" * 100_000)] * 9
        yield LogPage(lines=[*euros, LogLine(message="y" * 3_000_000)], token="1")


async def test_no_message_is_larger_than_clients_take() -> None:
    async with dispatching(Wordy()) as dispatcher:
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        answers = [answer async for answer in dispatcher.logs(request(handle))]
    text = "".join(line for answer in answers for line in answer.body.results)
    assert (text.count("\N{EURO SIGN}"), text.count("y")) == (900_000, 3_000_000)
    assert max(answer.ByteSize() for answer in answers) < 4 * 1024 * 1024
    assert [answer.header.token for answer in answers if answer.HasField("header")] == ["1"]
