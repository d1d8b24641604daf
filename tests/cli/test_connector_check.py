"""`connectory connectors check` against a running server."""

import json
from pathlib import Path

import pytest

from connectory.testing import task_call
from tests.cli.conftest import Command

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
