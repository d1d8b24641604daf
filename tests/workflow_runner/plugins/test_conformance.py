"""The suite that is shipped to authors of plugins, bound to every plugin that ships."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connectory.client.connector import ConnectorClient
from connectory.compiler import compile_task
from connectory.v1 import tasks_pb2
from tests.workflow_runner.plugins import containers, tasks
from tests.workflow_runner.plugins.service import QUICK, serving
from tests.workflow_runner.workflows import INTEGER, integer, literal_map, string
from tests.workflow_runner.workflows import task as template
from workflow_runner.plugins.connector import connector_plugin
from workflow_runner.plugins.container import container_plugin
from workflow_runner.plugins.echo import echo_plugin
from workflow_runner.plugins.python_task import Executor, python_task_plugin
from workflow_runner.plugins.sleep import sleep_plugin
from workflow_runner.testing import MakeEntry, PluginSuite, PluginTask

ECHOED = {"inputs": {"x": INTEGER}, "outputs": {"x": INTEGER}}
SEVEN = literal_map(x=integer(7))


def echoing(task_type: str, **custom: object) -> PluginTask:
    return PluginTask(template=template("t", task_type, **ECHOED, custom=custom), inputs=SEVEN)


class TestEcho(PluginSuite):
    @pytest.fixture
    def make_entry(self) -> MakeEntry:
        return echo_plugin

    @pytest.fixture
    def good_task(self) -> PluginTask:
        return echoing("echo")

    @pytest.fixture
    def bad_task(self) -> PluginTask:
        return PluginTask(template=template("t", "echo", outputs={"x": INTEGER}))


class TestSleep(PluginSuite):
    @pytest.fixture
    def make_entry(self) -> MakeEntry:
        return sleep_plugin

    @pytest.fixture
    def good_task(self) -> PluginTask:
        return echoing("sleep", duration=0.05)

    @pytest.fixture
    def long_task(self) -> PluginTask:
        return echoing("sleep", duration=3600)

    @pytest.fixture
    def bad_task(self) -> PluginTask:
        return echoing("sleep", duration=-1)


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTORY_PROCESS_DIR", str(tmp_path / "jobs"))


@pytest.fixture
async def target(tmp_path: Path) -> AsyncIterator[str]:
    """The address of the real connector server, which remembers creates over restarts of its clients."""
    with tempfile.TemporaryDirectory(prefix="cs-") as folder:
        socket = Path(folder) / "s"
        async with serving(socket, tmp_path / "ledger.db"):
            yield f"unix:{socket}"


class TestConnector(PluginSuite):
    @pytest.fixture
    def make_entry(self, target: str) -> MakeEntry:
        return lambda: connector_plugin([ConnectorClient(target)], QUICK)

    @pytest.fixture
    def good_task(self) -> PluginTask:
        return echoing("sleep", duration=0.1)

    @pytest.fixture
    def long_task(self) -> PluginTask:
        return echoing("sleep", duration=3600)

    @pytest.fixture
    def bad_task(self) -> PluginTask:
        return echoing("sleep", duration=0, failures=[{"at": "end", "error": "user"}])


class TestSyncConnector(PluginSuite):
    @pytest.fixture
    def make_entry(self, target: str) -> MakeEntry:
        return lambda: connector_plugin([ConnectorClient(target)], QUICK)

    @pytest.fixture
    def good_task(self) -> PluginTask:
        return echoing("echo_sync")

    @pytest.fixture
    def bad_task(self) -> PluginTask:
        return PluginTask(template=template("t", "echo_sync", outputs={"x": INTEGER}))


class OfPython(PluginSuite):
    executor: Executor
    survives_restart = False

    @pytest.fixture
    def make_entry(self) -> MakeEntry:
        return lambda: python_task_plugin(self.executor, workers=2)

    @pytest.fixture
    def good_task(self) -> PluginTask:
        return PluginTask(template=compiled(tasks.double), inputs=SEVEN)

    @pytest.fixture
    def bad_task(self) -> PluginTask:
        return PluginTask(template=compiled(tasks.broken), inputs=SEVEN)


class TestPythonInProcesses(OfPython):
    executor = "process"

    @pytest.fixture
    def long_task(self, tmp_path: Path) -> PluginTask:
        return PluginTask(template=compiled(tasks.endless), inputs=literal_map(folder=string(str(tmp_path))))


class TestPythonInThreads(OfPython):
    executor = "thread"


def compiled(authored: Any) -> tasks_pb2.TaskTemplate:
    return compile_task(authored)


class OfContainers(PluginSuite):
    @pytest.fixture
    async def clients(self, target: str) -> AsyncIterator[list[ConnectorClient]]:
        async with ConnectorClient(target) as client:
            yield [client]

    @pytest.fixture
    def make_entry(self, clients: list[ConnectorClient], tmp_path: Path) -> MakeEntry:
        return lambda: container_plugin(clients, folder=tmp_path / "containers", patience=QUICK)

    @pytest.fixture
    def good_task(self) -> PluginTask:
        inputs = literal_map(a=integer(1), b=integer(2), words=string("w"))
        return PluginTask(template=compiled(containers.add), inputs=inputs)

    @pytest.fixture
    def long_task(self, tmp_path: Path) -> PluginTask:
        inputs = literal_map(folder=string(str(tmp_path)))
        return PluginTask(template=compiled(containers.patient), inputs=inputs)

    @pytest.fixture
    def bad_task(self) -> PluginTask:
        return PluginTask(template=compiled(containers.failing))


class TestContainersAsProcesses(OfContainers):
    @pytest.fixture(autouse=True)
    def runtime(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CONNECTORY_CONTAINER_RUNTIME", "process")


class TestContainersByARuntime(OfContainers):
    @pytest.fixture(autouse=True)
    def runtime(self, docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CONNECTORY_CONTAINER_RUNTIME", raising=False)
