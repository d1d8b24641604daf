"""Logs over the wire: a slow reader holds the connector back, and what is followed ends when the server stops."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import yaml

from connector_server import calls
from connectory.client.connector import ConnectorClient
from connectory.client.tokens import BearerToken
from connectory.connector.contract import JobContext, LogLine, LogPage, LogRequest, Phase, Resource
from connectory.errors import ConnectorError, UnauthenticatedError, UnavailableError
from connectory.testing import task_call
from connectory.v1 import connector_pb2 as pb
from tests.connector_server.endless import PAGE
from tests.connector_server.fakes import Job, TrivialConnector
from tests.connector_server.harness import Peer, create_request, serving
from tests.connector_server.isolation.apart import apart, until

TOKEN = "the-token-of-the-reader-of-logs"
ENDLESS = "tests.connector_server.endless"
BUFFERS = 48 * 1024 * 1024
"""More than all buffers between a connector and its reader hold: gRPC widens its windows while it is read fast."""


@asynccontextmanager
async def endless(kind: str) -> AsyncIterator[Peer]:
    """A server with the connector, in its own process or in one apart."""
    async with apart(ENDLESS, isolation={ENDLESS: "process"} if kind == "apart" else {}) as peer:
        yield peer


@pytest.mark.parametrize("kind", ["within", "apart"])
@pytest.mark.parametrize("family", ["flyteidl", "flyteidl2"])
async def test_a_slow_reader_holds_the_connector_back(kind: str, family: str, tmp_path: Path) -> None:
    """Given a reader that stops after one line; when the server had every chance to read ahead; then it did not."""
    async with endless(kind) as peer:
        created = await peer.jobs.CreateTask(create_request("endless", {"folder": str(tmp_path)}))
        words = [family, peer.server.addresses[0], "endless", created.resource_meta.decode()]
        reader = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.connector_server.flyte_reader",
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert reader.stdout is not None
        assert await reader.stdout.readline() == b"1\n"
        category = pb.TaskCategory(name="endless")
        for _ in range(300):
            await peer.jobs.GetTask(pb.GetTaskRequest(task_category=category, resource_meta=created.resource_meta))
        assert (tmp_path / "read").stat().st_size * PAGE < BUFFERS
        out, _ = await reader.communicate(b"\n")
        assert (out, reader.returncode) == (b"100\n", 0)
        await until((tmp_path / "left").exists)


class SilentConnector(TrivialConnector):
    """Its jobs go on and write nothing."""

    name = "Silent"
    task_type = "silent"

    def __init__(self) -> None:
        self.was_read = asyncio.Event()

    async def get(self, job: Job, ctx: JobContext) -> Resource:
        return Resource(phase=Phase.RUNNING)

    async def logs(self, job: Job, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        self.was_read.set()
        for page in ():
            yield page


async def test_what_is_followed_ends_at_once_when_the_server_stops() -> None:
    connector = SilentConnector()
    task = task_call("silent")

    async def follow(client: ConnectorClient, handle: bytes) -> None:
        request = task.logs_request(handle)
        request.follow = True
        async for _ in client.logs(request):
            continue

    async with AsyncExitStack() as outer:
        async with serving(connector, grace=600) as peer:
            client = await outer.enter_async_context(ConnectorClient(peer.server.addresses[0]))
            following = asyncio.create_task(follow(client, (await client.create(task.create_request())).resource_meta))
            await connector.was_read.wait()
        with pytest.raises(UnavailableError, match="at another one by its token") as ended:
            await following
    assert ended.value.reason == "DRAINING"


class WritingConnector(SilentConnector):
    """Writes lines when the test does."""

    name = "Writing"
    task_type = "writing"

    def __init__(self) -> None:
        super().__init__()
        self.lines = ["first"]

    async def logs(self, job: Job, request: LogRequest, ctx: JobContext) -> AsyncIterator[LogPage]:
        new = self.lines[int(request.token or 0) :]
        if new:
            yield LogPage(lines=[LogLine(message=line) for line in new], token=str(len(self.lines)))


@pytest.mark.parametrize(
    ("scopes", "error"), [([], UnauthenticatedError), (["writing:create"], UnavailableError)], ids=["gone", "changed"]
)
async def test_who_may_not_any_more_is_soon_told_no_more_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scopes: list[str], error: type[ConnectorError]
) -> None:
    monkeypatch.setattr(calls, "ADMIT_EVERY", 0.0)
    tokens = tmp_path / "tokens.yaml"

    def admit(scopes: list[str]) -> None:
        callers = [{"name": "reader", "scopes": scopes, "token": TOKEN}] if scopes else []
        tokens.write_text(yaml.safe_dump({"callers": callers}))

    admit(["writing:create", "writing:logs"])
    connector, task = WritingConnector(), task_call("writing")
    async with (
        serving(connector, tokens=tokens) as peer,
        ConnectorClient(peer.server.addresses[0], token=BearerToken.of(TOKEN)) as client,
    ):
        request = task.logs_request((await client.create(task.create_request())).resource_meta)
        request.follow = True
        answers = client.logs(request)
        assert list((await anext(answers)).body.results) == ["first"]
        admit(scopes)

        async def read_on() -> None:
            async for _ in answers:  # the file is looked at again within a second
                connector.lines.append("for whoever may read it")

        with pytest.raises(error):
            await read_on()
