"""The other commands: help, executions, connectors, compile, serve, health."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import connectory_cli
from connectory.v1 import workflow_pb2
from tests.cli.conftest import FLOWS, Command, wait_for_line

COMMANDS = [
    [],
    ["serve"],
    ["run"],
    ["compile"],
    ["health"],
    ["executions"],
    ["executions", "list"],
    ["executions", "show"],
    ["executions", "abort"],
    ["executions", "resume"],
    ["executions", "signals"],
    ["executions", "signal"],
    ["executions", "approve"],
    ["connectors"],
    ["connectors", "list"],
    ["connectors", "show"],
    ["plugins"],
]


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
    text = connectory("serve", "--help").stdout
    for option in ("address", "uds", "workers", "module", "config", "metrics-address", "tls-cert", "tls-key"):
        assert f"--{option}" in text
    for option, default in {"--grace": "30", "--ledger": "memory", "--max-message-bytes": "33554432"}.items():
        described = text.partition(option)[2].partition("\n  --")[0]
        assert default in described


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
        f"{name}@0" for name in ("http", "webhook", "sql", "process", "sensor", "echo", "echo_sync", "sleep")
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
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    assert [words for words in COMMANDS if f"connectory {' '.join(words)}".strip() not in page] == []
    sources = Path(connectory_cli.__file__).parent.glob("*.py")
    named = {name for source in sources for name in re.findall(r"CONNECTORY_[A-Z]+\b", source.read_text())}
    assert [name for name in sorted(named - {"CONNECTORY_NAME"}) if f"`{name}`" not in page] == []
