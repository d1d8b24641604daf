"""Settings that cannot be used, names that nobody knows, and limits that nobody can keep to."""

import re
import subprocess
from pathlib import Path

import pytest

from connectory_cli.doctor.configuration import KNOWN_VARIABLES, configuration, read_settings
from connectory_cli.doctor.limits import limits
from connectory_cli.doctor.permissions import permissions
from tests.cli.doctor.patients import messages, patient, told

ROOT = Path(__file__).parents[3]


def test_every_variable_that_the_sources_name_is_known() -> None:
    rooms = ["connectory", "connectory_cli", "connectors", "workflow_runner"]
    command = ["grep", "-rhoE", r"\bCONNECTORY_[A-Z][A-Z0-9_]+\b", *rooms, "--include=*.py"]
    named = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    settings = subprocess.run(
        [*command[:2], r"^    [a-z_]+: ", "connector_server/settings", "--include=*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    of_server = {f"CONNECTORY_{name.upper()}" for name in re.findall(r"([a-z_]+): ", settings)}
    prefixes = {name for name in named if name.endswith("_")} | {"CONNECTORY_NAME"}
    assert set(named) - prefixes - of_server - KNOWN_VARIABLES == set()


def test_a_name_that_nobody_knows_is_said_with_the_one_that_was_meant(tmp_path: Path) -> None:
    environ = {"CONNECTORY_TOKENFILE": "x", "CONNECTORY_SECRET_KEY": "x", "CONNECTORY_ADDRESS": "x", "PATH": "x"}
    (finding,) = [one for one in told(configuration, patient(tmp_path, environ=environ)) if one.level == "warn"]
    assert (finding.about, finding.remedy) == ("CONNECTORY_TOKENFILE", "perhaps it is CONNECTORY_TOKEN_FILE")


def test_every_setting_that_cannot_be_used_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTORY_WORKERS", "many")
    monkeypatch.setenv("CONNECTORY_GRACE", "-1")
    monkeypatch.setenv("CONNECTORY_LOG_LEVEL", "LOUD")
    settings, complaints = read_settings(None)
    assert settings is None
    assert {complaint.about for complaint in complaints} == {"workers", "grace", "log_level"}
    assert all(complaint.level == "fail" for complaint in complaints)


@pytest.mark.parametrize(
    ("content", "said"),
    [("workers: [", "cannot be read"), ("wokers: 2", "wokers is not a setting"), ("- 1", "not a mapping")],
)
def test_a_file_that_cannot_be_used_is_told(tmp_path: Path, content: str, said: str) -> None:
    config = tmp_path / "server.yaml"
    config.write_text(content)
    settings, (complaint,) = read_settings(config)
    assert settings is None
    assert said in complaint.message


def test_what_works_and_should_be_known_is_a_warning(tmp_path: Path) -> None:
    found = told(configuration, patient(tmp_path, settings={"insecure_public": True, "workers": 1000}))
    assert [one.about for one in found if one.level == "warn"] == ["insecure_public", "ledger", "workers"]


def test_files_with_secrets_are_for_nobody_else(tmp_path: Path) -> None:
    tokens, keys, own = (tmp_path / name for name in ("tokens", "keys", "own"))
    for path, mode in ((tokens, 0o644), (keys, 0o620), (own, 0o600)):
        path.write_text("callers: []")
        path.chmod(mode)
    found = told(
        permissions,
        patient(
            tmp_path,
            settings={"tokens": tokens, "handle_keys": keys},
            environ={"CONNECTORY_CLIENT_KEY": str(own), "CONNECTORY_TOKEN_FILE": str(tmp_path / "absent")},
            reach=object(),
        ),
    )
    assert [(one.about, str(one.level)) for one in found] == [
        ("tokens", "warn"),
        ("handle_keys", "warn"),
        ("CONNECTORY_TOKEN_FILE", "fail"),
        ("CONNECTORY_CLIENT_KEY", "ok"),
    ]
    assert found[0].remedy == f"chmod o= {tokens}"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"limits": {"sqll": {"jobs": 1}}}, "limits: no connector and no task type is called 'sqll'"),
        ({"on_orphan": {"spark": "delete"}}, "on_orphan: no connector and no task type is called 'spark'"),
        ({"limits": {"sql": {"creates_per_second": 0.1}}}, "creates_per_second=0.1 a turn comes every 10 seconds"),
        ({"limits": {"*": {"polls_per_second": 0.5, "wait": 1}}}, "polls_per_second=0.5 a turn comes every 2 seconds"),
        ({"lease": {"sql": 5}}, "lease: sql=5 is shorter than reap_every=15"),
        ({"reap_every": 0, "on_orphan": {"*": "delete"}}, "reap_every: is 0, so nobody looks after abandoned jobs"),
    ],
)
def test_what_can_never_be_met_is_a_warning(tmp_path: Path, settings: dict[str, object], said: str) -> None:
    assert any(said in message for message in messages(told(limits, patient(tmp_path, settings=settings)), "warn"))


def test_what_is_said_for_a_name_and_for_a_task_type_counts_together_as_in_the_server(tmp_path: Path) -> None:
    settings = {"limits": {"sql": {"creates_per_second": 0.1}, "SQL": {"wait": 20}}}
    assert [one.level for one in told(limits, patient(tmp_path, settings=settings))] == ["ok"]


def test_limits_that_can_be_met_are_in_order(tmp_path: Path) -> None:
    settings = {"limits": {"sql": {"creates_per_second": 5}}, "lease": {"SQL": 600}, "on_orphan": {"*": "delete"}}
    assert [one.level for one in told(limits, patient(tmp_path, settings=settings))] == ["ok"]
