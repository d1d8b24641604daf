"""What is launched with a runner inside ends with the command; what a service runs goes on without it."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.cli.conftest import FLOWS, Command, wait_for_line

CONNECTOR = """
from dataclasses import dataclass

from connectory import CreateContext, Phase, Resource, SyncConnector


@dataclass(frozen=True, kw_only=True)
class Config:
    pass


class Greeting(SyncConnector[Config]):
    name = "Greeting"
    task_type = "greeting"

    def execute(self, ctx: CreateContext[Config]) -> Resource:
        return Resource(phase=Phase.SUCCEEDED, outputs={"text": f"hello {ctx.inputs['name']}"})
"""
GREETED = """
from connectory import ConnectorTask, workflow

greeting = ConnectorTask("greeting", "greeting", inputs={"name": str}, outputs={"text": str})


@workflow
def greeted(name: str) -> str:
    return greeting(name=name)
"""


@pytest.fixture
def flows(connectory: Command, tmp_path: Path) -> Path:
    file = Path(shutil.copy(FLOWS, tmp_path / "flows.py"))
    os.mkfifo(tmp_path / "begun")
    assert connectory("register", file).returncode == 0
    return file


def test_inputs_come_from_a_file_and_from_options_which_win(connectory: Command, flows: Path, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("content")
    (tmp_path / "inputs.json").write_text(
        f'{{"point": {{"x": 4}}, "day": "2026-11-20T10:00:00Z", "words": ["{"a" * 200_000}"], "data": "data.txt"}}'
    )
    outcome = connectory("launch", "described", "--inputs-file=inputs.json", '--input=point={"x": 7}')
    assert outcome.stdout == f"o0 = 7,0 2026-11-20 {'a' * 200_000} content\n", outcome.stderr
    (tmp_path / "inputs.json").write_text('{"colour": "red"}')
    outcome = connectory("launch", "described", "--inputs-file=inputs.json")
    assert "unknown input colour; there are data, day, point, words" in outcome.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_aborts_what_a_runner_inside_runs(
    connectory: Command, tmp_path: Path, flows: Path, number: signal.Signals
) -> None:
    launched = connectory.start("launch", "gated", "-i", f"folder={tmp_path}", "--name", "held")
    process = int((tmp_path / "begun").read_text())
    launched.send_signal(number)
    _, said = launched.communicate(timeout=30)
    assert launched.returncode == 130, said
    assert "aborting: waiting until external jobs are gone" in said
    assert "held ABORTED: interrupted by the person who ran it" in said
    assert not Path(f"/proc/{process}").exists()
    assert connectory("executions", "show", "held").stdout.splitlines()[0].split()[2] == "ABORTED"


def test_what_a_service_runs_goes_on_when_nobody_waits_for_it_any_more(
    connectory: Command, tmp_path: Path, flows: Path
) -> None:
    service = connectory.start("runner", "serve", "--uds", tmp_path / "control.sock", "--address", "127.0.0.1:0")
    wait_for_line(service.stderr, "serving")
    endpoint = f"unix:{tmp_path}/control.sock"
    words = ("launch", "gated", "-i", f"folder={tmp_path}", "--name", "held", "--endpoint", endpoint, "--wait")
    launched = connectory.start(*words)
    assert int((tmp_path / "begun").read_text())
    wait_for_line(launched.stderr, "held: RUNNING")
    launched.send_signal(signal.SIGINT)
    _, said = launched.communicate(timeout=30)
    assert launched.returncode == 130, said
    command = f"connectory executions abort held --endpoint {endpoint} -p default -d development"
    assert f"held goes on; end it with: {command}" in said
    assert connectory(*command.split()[1:]).stdout == "held ABORTED\n"


def test_a_runner_inside_may_have_more_connectors(connectory: Command, tmp_path: Path) -> None:
    (tmp_path / "greeting.py").write_text(CONNECTOR)
    (tmp_path / "greeted.py").write_text(GREETED)
    assert connectory("register", "greeted.py").returncode == 0
    done = connectory("launch", "greeted", "-i", "name=you", "--module", "greeting")
    assert (done.returncode, done.stdout) == (0, "o0 = hello you\n"), done.stderr
    refused = connectory("launch", "greeted", "--module", "greeting", "--endpoint", "127.0.0.1:1")
    assert (refused.returncode, "are for a runner inside" in refused.stderr) == (1, True)
