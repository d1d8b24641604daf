"""`connectory connectors check` against a running server."""

import json
import os
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectory.testing import task_call
from tests.cli.conftest import COMMAND, Command

ECHO = ["--category", "echo@0", "--inputs", '{"x": 3}', "--outputs", '{"x": "int"}']


@pytest.fixture
def server(connectory: Command, tmp_path: Path) -> str:
    """A server on a unix socket."""
    socket = tmp_path / "checked.sock"
    process = connectory.start("serve", "--uds", socket, "--log-format", "json")
    assert process.stderr is not None
    for line in process.stderr:
        if '"serving"' in line:
            break
    return f"unix:{socket}"


def test_a_connector_that_keeps_the_contract(connectory: Command, server: str) -> None:
    checked = connectory("connectors", "check", server, *ECHO)
    assert checked.returncode == 0, checked.stdout
    lines = checked.stdout.splitlines()
    assert "passed   create-twice" in lines
    assert any(line.startswith("skipped  restart-between-create-and-get: nobody can restart") for line in lines)
    assert " 0 failed" in checked.stderr


def test_what_is_broken_is_said_in_the_words_of_the_contract(connectory: Command, server: str) -> None:
    words = [
        "--category",
        "echo",
        "--inputs",
        '{"x": 3}',
        "--outputs",
        '{"x": "int", "y": "str"}',
        "--only",
        "good-task",
    ]
    checked = connectory("connectors", "check", server, *words)
    assert checked.returncode == 1
    assert "FAILED   good-task: " in checked.stdout
    assert "contract: A job that is created ends, and tells the outputs that the task declares." in checked.stdout
    [result] = json.loads(connectory("connectors", "check", server, *words, "--json").stdout)
    assert (result["name"], result["outcome"]) == ("good-task", "failed")
    assert result["promise"].startswith("A job that is created ends")


def test_a_compiled_template_is_checked_with(connectory: Command, server: str, tmp_path: Path) -> None:
    compiled = tmp_path / "task.pb"
    compiled.write_bytes(task_call("echo", inputs={"x": 3}, outputs={"x": int}).template.SerializeToString())
    words = ["--template", compiled, "--inputs", '{"x": 7}', "--only", "good-task"]
    assert connectory("connectors", "check", server, "--category", "echo", *words).returncode == 0
    other = connectory("connectors", "check", server, "--category", "sleep", *words)
    assert other.returncode == 1
    assert f"--template {compiled} is a task of echo@0, but --category says sleep@0" in other.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--category", "echo@x"], "--category 'echo@x' is not NAME or NAME@VERSION"),
        (["--category", "echo", "--config", "{"], "--config is no JSON"),
        (["--category", "echo", "--inputs", "[]"], "--inputs is list in JSON, not an object"),
        (["--category", "echo", "--outputs", '{"x": "number"}'], "--outputs has the type 'number'; known are int"),
        (["--category", "echo", "--secret", "NOT_SET"], "set the environment variable NOT_SET"),
        (["--category", "echo", "--template", "/no/such"], "--template /no/such cannot be read"),
        (["--category", "echo", "--call-limit", "1"], "nobody answers at unix:/no/such/socket"),
    ],
)
def test_what_cannot_be_used_is_named(connectory: Command, words: list[str], sentence: str) -> None:
    refused = connectory("connectors", "check", "unix:/no/such/socket", *words)
    assert refused.returncode == 1
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr


FRAIL = """
import json, os, pathlib
from dataclasses import dataclass
from connectory import AsyncConnector, Phase, Resource
from connectory.errors import NotFoundError, UnavailableError

PLACE = pathlib.Path(os.environ["FRAIL_PLACE"])

@dataclass(frozen=True)
class Job:
    id: str

class Frail(AsyncConnector[dict, Job]):
    task_type = "frail"

    def create(self, ctx):
        (PLACE / f"{ctx.idempotency_key}.job").write_text("3")
        return Job(ctx.idempotency_key)

    def get(self, job, ctx):
        if (PLACE / "outage").exists():
            raise UnavailableError("the system is away")
        if (PLACE / "unknown").exists():
            return Resource(phase=Phase.RUNNING, message="MIGRATING")
        file = PLACE / f"{job.id}.job"
        if not file.exists():
            raise NotFoundError("no such job")
        left = int(file.read_text())
        file.write_text(str(left - 1))
        return Resource(phase=Phase.RUNNING if left > 0 else Phase.SUCCEEDED)

    def delete(self, job, ctx):
        (PLACE / f"{job.id}.job").unlink(missing_ok=True)
"""
SERVE = """
[ -f pid ] && kill "$(cat pid)" && while kill -0 "$(cat pid)" 2>/dev/null; do sleep 0.05; done
{command} serve --uds {folder}/s.sock --ledger {folder}/ledger.sqlite --module frail >serve.log 2>&1 &
echo $! >pid
until {command} health unix:{folder}/s.sock >/dev/null 2>&1; do sleep 0.05; done
"""


@pytest.fixture
def frail(connectory: Command, tmp_path: Path) -> Iterator[Path]:
    """A script that starts, or restarts, a server in front of a system that can be broken with files."""
    (tmp_path / "frail.py").write_text(FRAIL)
    script = tmp_path / "serve.sh"
    script.write_text(SERVE.format(command=shlex.join(COMMAND), folder=tmp_path))
    connectory.environment.update({"FRAIL_PLACE": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)})
    yield script
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)


def test_what_needs_help_from_outside_is_tried_with_commands(connectory: Command, frail: Path, tmp_path: Path) -> None:
    hook = tmp_path / "hook.sh"
    hook.write_text(f"case $2 in begin) touch {tmp_path}/$1;; end) rm {tmp_path}/$1;; esac\n")
    connectory.begin_with = ["sh", "-c", f'sh {frail} && exec "$@"', "sh"]
    checked = connectory(
        "connectors",
        "check",
        f"unix:{tmp_path}/s.sock",
        *("--category", "frail"),
        *("--restart", f"sh {frail}"),
        *("--outage", f"sh {hook} outage"),
        *("--unknown-state", f"sh {hook} unknown"),
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    lines = checked.stdout.splitlines()
    for name in ("restart-between-create-and-get", "outage-while-polling", "unknown-state"):
        assert f"passed   {name}" in lines


def test_a_command_that_fails_is_named(connectory: Command, server: str) -> None:
    words = ["--only", "restart-between-create-and-get", "--restart", "exit 3"]
    refused = connectory("connectors", "check", server, *ECHO, *words)
    assert refused.returncode == 1
    assert "--restart: the command 'exit 3' ended with 3" in refused.stderr
