"""`connectory jobs` against a running server."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from connectory.testing import task_call
from connectory.v1 import services_pb2_grpc
from tests.cli.conftest import Command, wait_for_line


@pytest.fixture
def server(connectory: Command, tmp_path: Path) -> str:
    """A server on a unix socket, with a ledger in a file."""
    socket = tmp_path / "jobs.sock"
    words = ["serve", "--uds", socket, "--ledger", tmp_path / "ledger.sqlite", "--log-format", "json"]
    process = connectory.start(*words)
    assert process.stderr is not None
    for line in process.stderr:
        if '"serving"' in line:
            break
    return f"unix:{socket}"


@pytest.fixture
def stub(server: str) -> Iterator[Any]:
    with grpc.insecure_channel(server) as channel:
        yield services_pb2_grpc.AsyncConnectorServiceStub(channel)


def sleeping(stub: Any, key: str) -> None:
    """Create a job that goes on for long."""
    stub.CreateTask(task_call("sleep", config={"duration": 3600.0}).create_request(key), timeout=20)


def test_jobs_are_listed_shown_and_deleted(connectory: Command, server: str, stub: Any) -> None:
    for key in ("one", "two"):
        sleeping(stub, key)
    listed = connectory("jobs", "list", "--connectors", server)
    assert listed.returncode == 0, listed.stderr
    assert re.search(r"^key +category +state +phase +age +polled", listed.stdout, re.MULTILINE)
    assert re.search(r"^one +sleep@0 +live", listed.stdout, re.MULTILINE)

    shown = json.loads(connectory("jobs", "show", "one", "--json", "--connectors", server).stdout)
    assert (shown["key"], shown["category"], shown["state"], shown["orphan"]) == ("one", "sleep@0", "live", False)
    assert "state: live" in connectory("jobs", "show", "one", "--connectors", server).stdout

    deleted = connectory("jobs", "delete", "one", "two", "--connectors", server)
    assert (deleted.returncode, deleted.stdout) == (0, "one deleted\ntwo deleted\n")
    assert json.loads(connectory("jobs", "list", "--json", "--connectors", server).stdout) == []
    everything = json.loads(connectory("jobs", "list", "--all", "--json", "--connectors", server).stdout)
    assert [(job["key"], job["state"]) for job in everything] == [("one", "deleted"), ("two", "deleted")]


def test_a_job_that_two_endpoints_remember_is_listed_once(connectory: Command, server: str, stub: Any) -> None:
    sleeping(stub, "one")
    listed = connectory("jobs", "list", "--json", "--connectors", server, "--connectors", server)
    assert [job["key"] for job in json.loads(listed.stdout)] == ["one"]


WRITING = """
echo one; echo two; echo oops >&2; echo ready > "$1/ready"
until [ -e "$1/go" ]; do sleep 0.05; done
echo three
"""


def writing(stub: Any, key: str, folder: Path) -> None:
    """Create a job that writes, and goes on once it may."""
    order = task_call("process", config={"command": [WRITING, str(folder)], "shell": True})
    stub.CreateTask(order.create_request(key), timeout=20)


def test_a_log_is_shown_followed_and_read_on(connectory: Command, server: str, stub: Any, tmp_path: Path) -> None:
    writing(stub, "writes", tmp_path)
    words = ("--connectors", server)
    following = connectory.start("jobs", "logs", "writes", "--follow", *words)
    wait_for_line(following.stdout, "oops")
    newest = connectory("jobs", "logs", "writes", "--tail", "2", "--json", *words)
    assert [json.loads(line)["message"] for line in newest.stdout.splitlines()] == ["two", "oops"]
    first = connectory("jobs", "logs", "writes", "--lines", "1", *words)
    assert first.stdout == "one\n"
    token = first.stderr.rpartition("--token ")[2].strip()
    (tmp_path / "go").touch()
    assert following.stdout is not None
    assert following.stdout.read() == "three\n"
    assert following.wait() == 0
    assert connectory("jobs", "delete", "writes", *words).returncode == 0
    rest = connectory("jobs", "logs", "writes", "--token", token, *words)
    assert rest.stdout == "two\nthree\noops\n"


def test_metrics_are_shown(connectory: Command, server: str, stub: Any, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    writing(stub, "measured", tmp_path)
    words = ("--connectors", server)
    assert connectory("jobs", "logs", "measured", "--follow", *words).returncode == 0
    table = connectory("jobs", "metrics", "measured", *words)
    assert re.search(r"^cpu_seconds +[1-9][0-9]* +[0-9.]+ +job_id=", table.stdout, re.MULTILINE), table.stderr
    (told,) = json.loads(connectory("jobs", "metrics", "measured", "memory_bytes", "--json", *words).stdout)
    assert (told["metric"], told["data"]["resultType"]) == ("memory_bytes", "matrix")
    wrong = connectory("jobs", "metrics", "measured", "disk", *words)
    assert wrong.returncode == 1
    assert "no metric 'disk'" in wrong.stderr
    sleeping(stub, "silent")
    assert "offers no metrics" in connectory("jobs", "metrics", "silent", *words).stderr
    assert "no job is known under the key 'gone'" in connectory("jobs", "logs", "gone", *words).stderr


def test_reaping_tells_that_there_is_nothing_to_do(connectory: Command, server: str) -> None:
    for words in ((), ("--dry-run",)):
        reaped = connectory("jobs", "reap", *words, "--json", "--connectors", server)
        assert (reaped.returncode, json.loads(reaped.stdout)) == (0, [])


def test_what_is_not_known_or_not_possible_is_told_in_a_sentence(connectory: Command, server: str, stub: Any) -> None:
    sleeping(stub, "one")
    for words, sentence in (
        (("show", "unknown"), "no job is known under the key 'unknown'"),
        (("delete", "unknown"), "no job is known under the key 'unknown'"),
        (("list", "--state", "lost"), "'lost' is no state of a job"),
        (("settle", "one", "--nothing"), "not ambiguous"),
    ):
        failed = connectory("jobs", *words, "--connectors", server)
        assert failed.returncode == 1
        assert sentence in failed.stderr
        assert "Traceback" not in failed.stderr
    assert connectory("jobs", "settle", "one", "--connectors", server).returncode == 2


def test_a_server_that_is_not_there_is_told(connectory: Command, tmp_path: Path) -> None:
    target = f"unix:{tmp_path}/nobody.sock"
    for words in (
        ("jobs", "list", "--connectors", target),
        ("reload", "--connectors", target),
        ("connectors", "list", "--server", target),
        ("executions", "list", "--endpoint", target),
    ):
        failed = connectory(*words)
        assert failed.returncode == 1
        assert target in failed.stderr
        assert "start a server there (`connectory serve`" in failed.stderr
        assert "Traceback" not in failed.stderr
