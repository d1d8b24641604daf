"""The real command with its executions in a PostgreSQL database."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import FLOWS, Command
from tests.postgres import PostgresServer, postgres_server
from tests.workflow_runner.store.postgres import postgres_url

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture
def on_postgres(connectory: Command, postgres_url: str) -> Command:
    connectory.environment["CONNECTORY_STORE"] = postgres_url
    return connectory


def _start_gated(connectory: Command, folder: Path) -> subprocess.Popen[str]:
    os.mkfifo(folder / "begun")
    run = connectory.start("run", FLOWS, "gated", "-i", f"folder={folder}", "--name=mine")
    (folder / "begun").read_text()
    return run


def test_a_workflow_runs_and_is_listed(on_postgres: Command) -> None:
    outcome = on_postgres("run", FLOWS, "echoed", "-i", "text=hello")
    assert outcome.stdout == "o0 = hello\n", outcome.stderr
    (summary,) = json.loads(on_postgres("executions", "list", "--json").stdout)
    assert summary["phase"] == "SUCCEEDED"


def test_killed_and_resumed_at_once_it_ends_with_one_command(on_postgres: Command, tmp_path: Path) -> None:
    run = _start_gated(on_postgres, tmp_path)
    run.kill()
    run.wait()
    (tmp_path / "gate").touch()
    outcome = on_postgres("run", FLOWS, "gated", "--resume")
    assert outcome.stdout == "o0 = 7\n", outcome.stderr
    begun = [line for line in (tmp_path / "log").read_text().splitlines() if line.startswith("begun")]
    assert len(begun) == 1


def test_what_a_living_process_drives_is_not_resumed_beside_it(on_postgres: Command, tmp_path: Path) -> None:
    run = _start_gated(on_postgres, tmp_path)
    outcome = on_postgres("executions", "resume", "mine")
    assert outcome.returncode == 1
    assert f"is driven by the runner with process id {run.pid} on " in outcome.stderr
    assert "Traceback" not in outcome.stderr
    (tmp_path / "gate").touch()
    said, _ = run.communicate(timeout=60)
    assert said == "o0 = 7\n"


def test_an_abort_from_elsewhere_takes_the_execution_over(on_postgres: Command, tmp_path: Path) -> None:
    run = _start_gated(on_postgres, tmp_path)
    outcome = on_postgres("executions", "abort", "mine", "--json")
    assert json.loads(outcome.stdout)["phase"] == "ABORTED", outcome.stderr
    _, said = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "another runner has taken the execution over" in said


def test_messages_name_the_store_without_its_password(
    connectory: Command, postgres_server: PostgresServer, postgres_url: str
) -> None:
    tables = f"?search_path={postgres_url.rpartition('=')[2]}"
    connectory.environment["CONNECTORY_STORE"] = postgres_server.uri + tables
    outcome = connectory("run", FLOWS, "gated", "--resume")
    assert f"in {postgres_server.uri_without_password}{tables}: run it without --resume" in outcome.stderr
    assert postgres_server.password not in outcome.stderr
