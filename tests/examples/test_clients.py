"""Clients that are generated from the protos in other languages do what an engine does, with real servers."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command, connectory, wait_for_line
from tests.connector_server.certificates import Authority

__all__ = ["connectory"]

EXAMPLES = Path(__file__).parents[2] / "examples"
TOKEN = "a-token-of-the-clients"
CONFIG = {"duration": 0.3, "log": ["one", "two"], "outputs": {"rows": 3}}

pytestmark = pytest.mark.timeout(900)  # the first build compiles grpc


def built(example: str, output: Path) -> None:
    environment = {**os.environ, "PYTHON": sys.executable}
    command = [str(EXAMPLES / example / "build.sh"), str(output)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=840, check=False)
    assert done.returncode == 0, done.stderr


def node_version() -> int:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return 0
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return int(told.lstrip("v").partition(".")[0])


@pytest.fixture(scope="module", params=["go", "node"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command of the client in one of the languages."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "go":
        if shutil.which("go") is None:
            pytest.skip("needs Go 1.19 or newer: apt-get install golang-go")
        built("go-client", folder / "client")
        return [str(folder / "client")]
    if node_version() < 20:
        pytest.skip("needs Node 20 or newer with npm: apt-get install nodejs npm, or nodejs.org")
    built("node-client", folder)
    return ["node", str(folder / "client.js")]


class Server:
    """A server with a ledger, which can be killed and started again at the same address."""

    def __init__(self, command: Command, folder: Path) -> None:
        self.address = f"unix:{folder / 's.sock'}"
        self.command = command
        self._words = ["serve", "--uds", folder / "s.sock", "--ledger", folder / "ledger.sqlite", "--log-format=json"]
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = self.command.start(*self._words)
        wait_for_line(self._process.stderr, '"serving"')

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


@pytest.fixture
def server(connectory: Command, tmp_path: Path) -> Server:
    return Server(connectory, tmp_path)


def words(client: list[str], address: str, key: str, **config: Any) -> list[str]:
    return [*client, address, "sleep", key, json.dumps({**CONFIG, **config}), "rows"]


def told(command: list[str], **environment: str) -> dict[str, Any]:
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_task_is_done_once_for_its_key(client: list[str], server: Server) -> None:
    server.start()
    first = told(words(client, server.address, "run/step/0"))
    assert (first["phase"], first["outputs"], first["log"]) == ("SUCCEEDED", {"rows": 3}, ["one", "two"])
    assert told(words(client, server.address, "run/step/0"))["handle"] == first["handle"]
    assert told(words(client, server.address, "run/step/1"))["handle"] != first["handle"]


@pytest.fixture
def begun(client: list[str], server: Server) -> Iterator[subprocess.Popen[str]]:
    """A client that was started while nobody answered, and has noticed it."""
    command = words(client, server.address, "patient", duration=2)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_for_line(process.stderr, "CreateTask again")
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_a_server_that_is_away_and_one_that_is_killed_fail_no_job(begun: subprocess.Popen[str], server: Server) -> None:
    server.start()
    wait_until_listed(server)
    server.kill()
    wait_for_line(begun.stderr, "GetTask again")
    server.start()
    output, _ = begun.communicate(timeout=60)
    assert json.loads(output)["phase"] == "SUCCEEDED"
    assert len(jobs(server)) == 1


def jobs(server: Server, *options: str) -> list[dict[str, Any]]:
    listed = server.command("jobs", "list", "--connectors", server.address, "--json", *(options or ("--all",)))
    assert listed.returncode == 0, listed.stderr
    found: list[dict[str, Any]] = json.loads(listed.stdout)
    return found


def wait_until_listed(server: Server) -> None:
    while not jobs(server):
        pass


def test_a_client_that_is_stopped_leaves_no_job(client: list[str], server: Server) -> None:
    server.start()
    command = words(client, server.address, "stopped", duration=600)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        wait_until_listed(server)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    assert json.loads(output)["phase"] == "ABORTED"
    assert jobs(server, "--state", "live") == []
    assert [job["state"] for job in jobs(server)] == ["deleted"]


def test_tls_and_a_token(client: list[str], connectory: Command, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    key, cert = authority.issue("server")
    tokens = tmp_path / "tokens.yaml"
    tokens.write_text(f'callers: [{{name: clients, scopes: ["sleep:*"], token: {TOKEN}}}]')
    options = ["--tls-cert", cert, "--tls-key", key, "--tokens", tokens, "--address", "127.0.0.1:0"]
    process = connectory.start("serve", *options, "--log-format=json")
    address = json.loads(wait_for_line(process.stderr, '"serving"'))["addresses"][0]
    trust = {"CONNECTORY_CLIENT_CA": str(authority.cert)}
    assert told(words(client, address, "secured"), CONNECTORY_TOKEN=TOKEN, **trust)["phase"] == "SUCCEEDED"
    refused = subprocess.run(
        words(client, address, "refused"),
        env={**os.environ, "CONNECTORY_TOKEN": "another-token-of-ours", **trust},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 1
    assert "the bearer token is not known here" in refused.stderr
