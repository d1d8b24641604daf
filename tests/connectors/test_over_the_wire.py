"""Every shipped connector keeps the contract as callers see it: behind a real server, over the wire."""

import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.echo import EchoConnector, EchoSyncConnector
from connectors.http import HttpConnector, WebhookConnector
from connectors.process import ProcessConnector, ProcessSettings
from connectors.sensor import SensorConnector
from connectors.sleep import SleepConnector
from connectors.sql import SqlConnector, SqlSettings
from connectory.connector.contract import Connector
from connectory.testing import WireSuite, WireSyncSuite, task_call
from connectory.testing.wire import Help, Subject
from connectory.web import HostPolicy
from tests.connector_server.harness import serving
from tests.connectors.http.server import Answer, Site, site

RECORDED = Path(__file__).with_name("recorded_handles.json")


def recorded(task_type: str) -> list[bytes]:
    """Handles that earlier releases gave out; never recorded anew, only added to."""
    handles = json.loads(RECORDED.read_text().replace("a-host-of-before", socket.gethostname()))
    return [json.dumps(handle).encode() for handle in handles[task_type]]


@pytest.fixture
def web() -> Iterator[Site]:
    with site() as running:
        yield running


class Server:
    """All shipped connectors behind a server with a ledger; started again, it knows only what it left on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = AsyncExitStack()
        self.address = f"unix:{folder / 's.sock'}"

    async def start(self) -> None:
        ledger = str(self._folder / "ledger.sqlite")
        await self._running.enter_async_context(
            serving(*self._connectors(), uds=[self._folder / "s.sock"], ledger=ledger)
        )

    async def stop(self) -> None:
        await self._running.aclose()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def _connectors(self) -> list[Connector[Any]]:
        return [
            EchoConnector(),
            EchoSyncConnector(),
            HttpConnector(HostPolicy()),
            ProcessConnector(ProcessSettings(folder=self._folder / "processes")),
            SensorConnector(policy=HostPolicy()),
            SleepConnector(folder=self._folder / "sleeps"),
            SqlConnector(SqlSettings(folder=self._folder / "queries")),
            WebhookConnector(HostPolicy()),
        ]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    running = Server(tmp_path)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
def outside(server: Server) -> Help:
    """Somebody who can restart the server."""
    return Help(restart=server.restart)


class Shipped:
    @pytest.fixture
    def endpoint(self, server: Server) -> str:
        return server.address


class TestEcho(Shipped, WireSuite):
    @pytest.fixture
    def subject(self, outside: Help) -> Subject:
        values = {"x": 3, "text": "grün"}
        return Subject(
            task=task_call("echo", inputs=values, outputs={"x": int, "text": str}),
            older_handles=recorded("echo"),
            help=outside,
        )


class TestEchoSync(Shipped, WireSyncSuite):
    @pytest.fixture
    def subject(self) -> Subject:
        return Subject(task=task_call("echo_sync", inputs={"x": 3, "text": "grün"}, outputs={"x": int, "text": str}))


class TestSleep(Shipped, WireSuite):
    @pytest.fixture
    def subject(self, outside: Help) -> Subject:
        config = {"duration": 0.2, "log": ["one", "two", "three"], "outputs": {"rows": 3}}
        return Subject(
            task=task_call("sleep", config=config, outputs={"rows": int}), older_handles=recorded("sleep"), help=outside
        )


class TestProcess(Shipped, WireSuite):
    @pytest.fixture
    def subject(self, tmp_path: Path, outside: Help) -> Subject:
        config = {
            "command": ['sleep 0.05; echo "$1"; echo second; echo "$TOKEN" >/dev/null', "{{ .inputs.x }}"],
            "shell": True,
            "env": {"TOKEN": "{{ .secrets.token }}"},
        }
        task = task_call(
            "process", config=config, inputs={"x": 3}, outputs={"stdout": str}, output_prefix=str(tmp_path / "out")
        )
        return Subject(
            task=task, secrets={"token": "a-secret-of-the-process"}, older_handles=recorded("process"), help=outside
        )


class TestSql(Shipped, WireSuite):
    @pytest.fixture
    def subject(self, tmp_path: Path, outside: Help) -> Subject:
        config = {"uri": "sqlite://:memory:", "query": "SELECT {{ .inputs.x }} AS x", "time_limit_seconds": 20}
        prefix = str(tmp_path / "outputs")
        task = task_call("sql", config=config, inputs={"x": 3}, outputs={"x": int}, output_prefix=prefix)
        return Subject(task=task, older_handles=recorded("sql"), help=outside)


class TestSensor(Shipped, WireSuite):
    @pytest.fixture
    def subject(self, outside: Help) -> Subject:
        return Subject(
            task=task_call("sensor", config={"time": {"after": 0.02}}), older_handles=recorded("sensor"), help=outside
        )


class TestHttpSensor(Shipped, WireSuite):
    """The connector whose external system can be taken away, and can say what nobody expects."""

    @pytest.fixture
    def subject(self, web: Site, server: Server, tmp_path: Path) -> Subject:
        ready = Answer(body=b"ready")
        web.answers("/", ready)

        @asynccontextmanager
        async def answering(answer: Answer) -> AsyncIterator[None]:
            web.answers("/", answer)
            yield
            web.answers("/", ready)

        config = {
            "http": {"url": f"{web.url}/", "headers": {"Authorization": "Bearer {{ .secrets.token }}"}},
            "deadline": 60,
        }
        return Subject(
            task=task_call("sensor", config=config, outputs={"status": int}, output_prefix=str(tmp_path / "out")),
            secrets={"token": "a-secret-of-the-sensor"},
            help=Help(
                restart=server.restart,
                outage=lambda: answering(Answer(hang_up=True)),
                unknown_state=lambda: answering(Answer(status=418)),
            ),
        )


class TestHttp(Shipped, WireSyncSuite):
    @pytest.fixture
    def subject(self, web: Site) -> Subject:
        web.answers("/", Answer.json({"a": 1}))
        config = {"url": f"{web.url}/", "headers": {"Authorization": "Bearer {{ .secrets.token }}"}}
        return Subject(
            task=task_call("http", config=config, outputs={"status": int, "body": dict}),
            secrets={"token": "a-secret-of-the-call"},
        )


class TestWebhook(Shipped, WireSyncSuite):
    @pytest.fixture
    def subject(self, web: Site) -> Subject:
        web.answers("/", Answer(body=b"ok"))
        return Subject(task=task_call("webhook", config={"url": f"{web.url}/"}, outputs={"info": dict}))
