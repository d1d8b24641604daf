"""The other commands: help, executions, connectors, compile, serve, health."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from connector_server.settings import explanations
from connectory.v1 import workflow_pb2
from connectory_cli.main import app
from tests.cli.conftest import FLOWS, Command, wait_for_line
from tests.connector_server.certificates import Authority

ROOT = Path(__file__).parents[2]


def _commands(command: Any, words: list[str]) -> Iterator[list[str]]:
    yield words
    for name, below in getattr(command, "commands", {}).items():
        yield from _commands(below, [*words, name])


COMMANDS = list(_commands(get_command(app), []))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(connectory: Command, command: list[str]) -> None:
    outcome = connectory(*command, "--help")
    assert outcome.returncode == 0
    assert "Usage:" in outcome.stdout


def test_help_loads_nothing_that_commands_need() -> None:
    program = (
        "import sys\nfrom connectory_cli.main import app\n"
        "print([m for m in ('grpc', 'sqlite3', 'pydantic_settings', 'msgspec', 'connectory.v1') if m in sys.modules])"
    )
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert outcome.stdout == "[]\n"


def test_a_command_loads_what_it_needs_and_not_what_the_command_line_could_do_without(tmp_path: Path) -> None:
    """The options are read without the large libraries that read options; a server would be the slower to start."""
    program = [sys.executable, "-X", "importtime", "-m", "connectory_cli", "serve", "--uds", tmp_path / "no" / "s.sock"]
    outcome = subprocess.run(program, capture_output=True, text=True, check=False)
    assert "cannot be listened on" in outcome.stderr
    loaded = {line.rpartition("|")[2].strip() for line in outcome.stderr.splitlines() if line.startswith("import time")}
    assert "connector_server.server" in loaded
    assert not loaded & {"pydantic", "pydantic_settings", "pyarrow", "duckdb", "pandas", "prometheus_client"}


def test_serve_explains_every_setting_with_its_default(connectory: Command) -> None:
    described = {
        words.partition(" ")[0]: " ".join(words.split())
        for words in connectory("serve", "--help").stdout.partition("Options:")[2].split("\n  --")[1:]
    }
    options = {name.replace("_", "-") for name in explanations()} - {"addresses", "modules"} | {"address", "module"}
    assert set(described) == options
    assert [option for option, text in described.items() if not re.search(r"\[\S.*\]", text)] == []
    for option, default in {"grace": "[30]", "ledger": "[memory]", "max-message-bytes": "[33554432]"}.items():
        assert default in described[option]


def test_executions_are_listed_newest_first_and_shown_with_their_nodes(connectory: Command) -> None:
    for name in ("first", "second"):
        assert connectory("run", FLOWS, "twice", "--name", name, "--executor=thread").returncode == 0
    listed = connectory("executions", "list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["id", "second", "first"]
    assert len(json.loads(connectory("executions", "list", "--limit=1", "--json").stdout)) == 1
    shown = connectory("executions", "show", "first").stdout
    assert "n0" in shown
    assert "o0 = 8" in shown
    assert json.loads(connectory("executions", "show", "first", "--json").stdout)["outputs"] == {"o0": 8}


def test_a_name_is_used_once(connectory: Command) -> None:
    assert connectory("run", FLOWS, "twice", "--name=one", "--executor=thread").returncode == 0
    outcome = connectory("run", FLOWS, "twice", "--name=one", "--executor=thread")
    assert outcome.returncode == 1
    assert "'one'" in outcome.stderr


def test_an_unknown_execution_is_named(connectory: Command) -> None:
    outcome = connectory("executions", "show", "nope")
    assert outcome.returncode == 1
    assert "'nope'" in outcome.stderr


def test_the_connectors_that_ship_are_found(connectory: Command) -> None:
    outcome = connectory("connectors", "list", "--json")
    assert outcome.returncode == 0
    found = {connector["name"]: connector["task_types"] for connector in json.loads(outcome.stdout)["connectors"]}
    types = {task_type for types in found.values() for task_type in types}
    assert {
        f"{name}@0" for name in ("http", "k8s_job", "webhook", "sql", "process", "sensor", "echo", "echo_sync", "sleep")
    } <= types
    shown = connectory("connectors", "show", "http").stdout
    assert "url" in shown


def test_a_broken_module_is_listed_with_the_reason_while_the_rest_serves(connectory: Command, tmp_path: Path) -> None:
    (tmp_path / "broken_connectors.py").write_text("import does_not_exist\n")
    socket = tmp_path / "s.sock"
    server = connectory.start("serve", "--uds", socket, "--log-format=json", "--module=broken_connectors")
    wait_for_line(server.stderr, str(socket))
    outcome = connectory("connectors", "list", "--server", f"unix:{socket}")
    assert outcome.returncode == 1
    assert "does_not_exist" in outcome.stdout
    assert "Echo" in outcome.stdout
    assert connectory("health", f"unix:{socket}").stdout == "SERVING\n"
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0


@pytest.mark.parametrize("written", ["option", "environment", "file"])
def test_a_module_of_this_folder_is_found_wherever_it_is_named(
    connectory: Command, tmp_path: Path, written: str
) -> None:
    (tmp_path / "own_connectors.py").write_text(
        "from connectors.echo import EchoConnector\n\n\nclass Own(EchoConnector):\n"
        "    name = 'Own'\n    task_type = 'own'\n"
    )
    (tmp_path / "server.yaml").write_text("module: own_connectors\n")
    words = {"option": ["--module=own_connectors"], "environment": [], "file": ["--config=server.yaml"]}[written]
    if written == "environment":
        connectory.environment["CONNECTORY_MODULE"] = "own_connectors"
    server = connectory.start("serve", "--uds", tmp_path / "s.sock", "--log-format=json", *words)
    wait_for_line(server.stderr, '"message": "serving"')
    outcome = connectory("connectors", "list", "--server", f"unix:{tmp_path / 's.sock'}")
    assert (outcome.returncode, outcome.stderr) == (0, ""), outcome.stdout
    assert "own@0" in outcome.stdout
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0


def test_health_over_tls_is_asked_as_the_environment_says(connectory: Command, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    key, cert = authority.issue("server")
    options = ["--tls-cert", cert, "--tls-key", key, "--tls-client-ca", authority.cert]
    server = connectory.start("serve", "--address=127.0.0.1:0", "--log-format=json", *options)
    (address,) = json.loads(wait_for_line(server.stderr, '"message": "serving"'))["addresses"]
    assert connectory("health", address).returncode == 1
    client_key, client_cert = authority.issue("client")
    connectory.environment |= {
        "CONNECTORY_CLIENT_CA": str(authority.cert),
        "CONNECTORY_CLIENT_CERT": str(client_cert),
        "CONNECTORY_CLIENT_KEY": str(client_key),
    }
    assert connectory("health", address).stdout == "SERVING\n"
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0


def test_health_of_a_server_that_is_not_there_is_an_error(connectory: Command, tmp_path: Path) -> None:
    outcome = connectory("health", f"unix:{tmp_path / 'absent.sock'}", "--timeout=1")
    assert outcome.returncode == 1
    assert "UNAVAILABLE" in outcome.stderr


def test_a_setting_that_cannot_be_used_is_one_sentence(connectory: Command) -> None:
    outcome = connectory("serve", "--address", "0.0.0.0:8000")
    assert outcome.returncode == 1
    assert "insecure_public" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_compiled_files_hold_the_workflow_in_bytes_and_readable(connectory: Command, tmp_path: Path) -> None:
    outcome = connectory("compile", FLOWS, "-o", "compiled", "--json")
    assert outcome.returncode == 0, outcome.stderr
    assert {"twice", "described", "failing", "echoed", "gated"} <= set(json.loads(outcome.stdout))
    closure = workflow_pb2.CompiledWorkflowClosure.FromString((tmp_path / "compiled" / "twice.pb").read_bytes())
    assert [node.id for node in closure.primary.template.nodes] == ["n0", "n1"]
    readable = json.loads((tmp_path / "compiled" / "twice.json").read_text())
    assert readable["primary"]["template"]["id"]["name"].endswith("twice")


def test_the_page_about_the_command_names_every_command_and_variable() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    assert [words for words in COMMANDS if f"connectory {' '.join(words)}".strip() not in page] == []
    assert [name for name in _variables("connectory_cli") if f"`{name}`" not in page] == []


def test_every_variable_of_the_product_is_documented() -> None:
    pages = "".join(page.read_text() for page in (ROOT / "docs").rglob("*.md"))
    rooms = ("connectory", "connectory_cli", "connector_server", "connectors", "workflow_runner")
    variables = {name for room in rooms for name in _variables(room)}
    assert "CONNECTORY_HTTP_ALLOW_HOSTS" in variables
    assert [name for name in sorted(variables) if not re.search(rf"{name}\b", pages)] == []


def _variables(room: str) -> list[str]:
    sources = "".join(source.read_text() for source in (ROOT / room).rglob("*.py"))
    return sorted(set(re.findall(r"\bCONNECTORY_[A-Z_]*[A-Z]\b", sources)) - {"CONNECTORY_NAME"})
