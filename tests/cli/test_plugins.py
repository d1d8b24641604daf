"""Plugins of the runner on the command line: listed, and brought by an installed package."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.workflow_runner.plugins.test_discovery import GOOD, install

FLOW = """
from connectory import ConnectorTask, ContainerTask, workflow
from datetime import timedelta

load = ConnectorTask("load", "warehouse_load", inputs={"x": int})
greet = ContainerTask(
    "greet", "busybox", ["sh", "-c", "printf 'hello %s' $(cat /in/name) > /out/greeting; echo greeted"],
    inputs={"name": str}, outputs={"greeting": str}, input_data_dir="/in", output_data_dir="/out",
)

PATIENT = 'echo x >> "$0/runs"; while [ ! -e "$0/go" ]; do sleep 0.02; done; cp "$0/go" /out/said'
wait = ContainerTask(
    "wait", "busybox", ["sh", "-c", PATIENT, "{{.inputs.folder}}"],
    inputs={"folder": str}, outputs={"said": str}, output_data_dir="/out",
)

@workflow
def waits(folder: str) -> str:
    return wait(folder=folder)

@workflow
def loads(x: int) -> None:
    load(x=x)

@workflow
def greets(name: str) -> str:
    return greet(name=name)
"""


@pytest.fixture
def site(tmp_path: Path, connectory: Command) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    connectory.environment["PYTHONPATH"] = str(folder)
    (connectory.folder / "flow.py").write_text(FLOW)
    return folder


def test_the_plugins_that_ship_are_listed(connectory: Command) -> None:
    outcome = connectory("plugins", "--json")
    assert outcome.returncode == 0, outcome.stderr
    found = {plugin["id"]: plugin["task_types"] for plugin in json.loads(outcome.stdout)["plugins"]}
    assert found == {
        "connector": [],
        "python-task": ["python-task"],
        "container": ["raw-container", "container"],
        "sleep": ["sleep"],
        "echo": ["echo"],
    }
    assert "unless a connector offers them" in connectory("plugins").stdout


def test_an_installed_plugin_runs_tasks_and_a_broken_one_is_named(connectory: Command, site: Path) -> None:
    install(site, "warehouse_plugin", GOOD, {"warehouse": "warehouse_plugin:warehouse"})
    install(site, "broken_plugin", "raise RuntimeError('no licence')", {"broken": "broken_plugin:x"})
    listed = connectory("plugins")
    assert listed.returncode == 1
    assert "broken: RuntimeError: no licence" in listed.stdout
    outcome = connectory("run", "flow.py", "loads", "--input", "x=3")
    assert outcome.returncode == 0, outcome.stderr
    assert "plugin 'broken' (entry point broken = broken_plugin:x) cannot be used" in outcome.stderr


@pytest.mark.usefixtures("site")
def test_a_container_runs_once_though_everything_around_it_is_killed(connectory: Command, tmp_path: Path) -> None:
    connectory.environment["CONNECTORY_CONTAINER_RUNTIME"] = "process"
    words = ("run", "flow.py", "waits", "--input", f"folder={tmp_path}")
    process = connectory.start(*words)
    while not (tmp_path / "runs").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    second = connectory.start(*words, "--resume")
    assert second.stderr is not None
    assert "RUNNING" in second.stderr.readline()
    (tmp_path / "go").write_text("well done")
    said, _ = second.communicate(timeout=60)
    assert said == "o0 = well done\n"
    assert (tmp_path / "runs").read_text() == "x\n"


@pytest.mark.usefixtures("site")
def test_a_container_runs_as_a_process_of_this_machine(connectory: Command) -> None:
    connectory.environment["CONNECTORY_CONTAINER_RUNTIME"] = "process"
    outcome = connectory("run", "flow.py", "greets", "--input", "name=you", "--name", "greeting")
    assert outcome.returncode == 0, outcome.stderr
    assert "hello you" in outcome.stdout
    assert connectory("executions", "logs", "greeting", "n0").stdout == "greeted\n"
