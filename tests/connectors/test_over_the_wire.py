"""Every shipped connector keeps the contract as callers see it: behind a real server, over the wire."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from connectors.echo import EchoConnector, EchoSyncConnector
from connectors.http import HttpConnector, WebhookConnector
from connectors.process import ProcessConnector, ProcessSettings
from connectors.sensor import SensorConnector
from connectors.sleep import SleepConnector
from connectors.sql import SqlConnector, SqlSettings
from connectory.testing import WireSuite, WireSyncSuite, task_call
from connectory.testing.wire import Subject
from connectory.web import HostPolicy
from tests.connector_server.harness import serving
from tests.connectors.http.server import Answer, Site, site


@pytest.fixture
def web() -> Iterator[Site]:
    with site() as running:
        yield running


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[str]:
    connectors = (
        EchoConnector(),
        EchoSyncConnector(),
        HttpConnector(HostPolicy()),
        ProcessConnector(ProcessSettings(folder=tmp_path / "processes")),
        SensorConnector(),
        SleepConnector(folder=tmp_path / "sleeps"),
        SqlConnector(SqlSettings(folder=tmp_path / "queries")),
        WebhookConnector(HostPolicy()),
    )
    async with serving(*connectors, ledger=str(tmp_path / "ledger.sqlite")) as peer:
        yield peer.server.addresses[0]


class Shipped:
    @pytest.fixture
    def endpoint(self, server: str) -> str:
        return server


class TestEcho(Shipped, WireSuite):
    @pytest.fixture
    def subject(self) -> Subject:
        return Subject(task=task_call("echo", inputs={"x": 3, "text": "grün"}, outputs={"x": int, "text": str}))


class TestEchoSync(Shipped, WireSyncSuite):
    @pytest.fixture
    def subject(self) -> Subject:
        return Subject(task=task_call("echo_sync", inputs={"x": 3, "text": "grün"}, outputs={"x": int, "text": str}))


class TestSleep(Shipped, WireSuite):
    @pytest.fixture
    def subject(self) -> Subject:
        config = {"duration": 0.02, "log": ["one", "two", "three"], "outputs": {"rows": 3}}
        return Subject(task=task_call("sleep", config=config, outputs={"rows": int}))


class TestProcess(Shipped, WireSuite):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        config = {
            "command": ['sleep 0.05; echo "$1"; echo second; echo "$TOKEN" >/dev/null', "{{ .inputs.x }}"],
            "shell": True,
            "env": {"TOKEN": "{{ .secrets.token }}"},
        }
        task = task_call(
            "process", config=config, inputs={"x": 3}, outputs={"stdout": str}, output_prefix=str(tmp_path / "out")
        )
        return Subject(task=task, secrets={"token": "a-secret-of-the-process"})


class TestSql(Shipped, WireSuite):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        config = {"uri": "sqlite://:memory:", "query": "SELECT {{ .inputs.x }} AS x", "time_limit_seconds": 20}
        prefix = str(tmp_path / "outputs")
        return Subject(task=task_call("sql", config=config, inputs={"x": 3}, outputs={"x": int}, output_prefix=prefix))


class TestSensor(Shipped, WireSuite):
    @pytest.fixture
    def subject(self) -> Subject:
        return Subject(task=task_call("sensor", config={"time": {"after": 0.02}}))


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
