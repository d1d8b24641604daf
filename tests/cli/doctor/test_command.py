"""`connectory doctor` as people and programs call it."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectory_cli.doctor.examination import CHECKS, examine
from connectory_cli.doctor.findings import Finding, ok
from connectory_cli.doctor.patient import Patient
from tests.cli.conftest import Command, connectory, wait_for_line
from tests.cli.doctor.patients import patient

__all__ = ["connectory"]


def test_a_table_with_remedies_and_an_exit_code(connectory: Command, tmp_path: Path) -> None:
    connectory.environment["CONNECTORY_LEDGER"] = str(tmp_path / "ledger.sqlite")
    looked = connectory("doctor")
    assert looked.returncode == 0, looked.stdout
    lines = [line.split(maxsplit=2) for line in looked.stdout.splitlines()]
    assert {line[1] for line in lines[1:]} == set(CHECKS) - {"permissions", "certificates"}
    assert any("will be made" in line[2] for line in lines)
    assert "0 failures" in looked.stderr
    connectory.environment["CONNECTORY_WORKERS"] = "none"
    failed = connectory("doctor", "--only", "configuration")
    assert failed.returncode == 1
    assert failed.stdout.splitlines()[1].startswith("FAIL  configuration  workers")
    assert "remedy: " in failed.stdout


def test_it_leaves_nothing_behind(connectory: Command, tmp_path: Path) -> None:
    connectory.environment["CONNECTORY_LEDGER"] = str(tmp_path / "ledger.sqlite")
    assert connectory("doctor").returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_json_for_programs(connectory: Command, tmp_path: Path) -> None:
    (tmp_path / "torn.py").write_text("import no_such_library\n")
    looked = connectory("doctor", "--module", "torn", "--only", "connectors", "--json")
    assert looked.returncode == 1
    told = json.loads(looked.stdout)
    assert told["fail"] == 1
    (broken,) = [finding for finding in told["findings"] if finding["level"] == "fail"]
    assert broken["about"] == "connector torn"
    assert broken["remedy"] == "install the package that has this module beside the server, or correct the name"


def test_a_running_server_is_reached(connectory: Command, tmp_path: Path) -> None:
    socket = tmp_path / "s.sock"
    process = connectory.start("serve", "--uds", socket, "--log-format", "json")
    wait_for_line(process.stderr, '"serving"')
    looked = connectory("doctor", "--address", f"unix:{socket}")
    assert looked.returncode == 0, looked.stdout
    assert "health: SERVING" in looked.stdout
    assert connectory("doctor", "--address", f"unix:{tmp_path}/other.sock").returncode == 1


def test_an_unknown_check_is_named_with_those_there_are(connectory: Command) -> None:
    refused = connectory("doctor", "--only", "weather")
    assert refused.returncode == 1
    assert f"there is no check weather; there are: {', '.join(CHECKS)}" in refused.stderr


def test_a_check_that_never_ends_is_a_failure_and_holds_up_no_other(tmp_path: Path) -> None:
    forever = threading.Event()

    def hangs(_: Patient) -> Iterator[Finding]:
        forever.wait()
        yield ok("never", "never")

    def breaks(_: Patient) -> Iterator[Finding]:
        raise ValueError("a defect")
        yield

    def works(_: Patient) -> Iterator[Finding]:
        yield ok("fine", "fine")

    examined = patient(tmp_path, timeout=0.2)
    try:
        found = {one.check: one.findings for one in examine(examined, {"a": hangs, "b": breaks, "c": works})}
    finally:
        forever.set()
    assert "was not done within 0.2 seconds" in found["a"][0].message
    assert "the check itself failed: ValueError: a defect" in found["b"][0].message
    assert [finding.level for finding in found["c"]] == ["ok"]


@pytest.mark.parametrize("name", list(CHECKS))
def test_checks_have_a_line_about_what_they_look_at(name: str) -> None:
    assert CHECKS[name].__doc__
