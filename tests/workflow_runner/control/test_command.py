"""The command as a client of a runner's service: two real processes, or one with the runner inside."""

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workflow_runner.control.service import Service, command, running_service, wait_for_end

FLOWS = Path(__file__).with_name("remote_flows.py")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    shutil.copy(FLOWS, folder / "flows.py")
    with running_service(folder) as running:
        assert ask(running, "register", "flows.py") == 0
        yield running


def run(service: Service, *words: object) -> Any:
    return command(service.folder, *words, "--endpoint", service.endpoint)


def ask(service: Service, *words: object) -> int:
    return int(run(service, *words).returncode)


def answer(service: Service, *words: object) -> Any:
    done = run(service, *words, "--json")
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def started(service: Service, *words: object) -> str:
    done = run(service, "launch", *words)
    assert done.returncode == 0, done.stderr
    return str(done.stdout.strip())


def test_registering_again_changes_nothing_and_new_code_is_a_new_version(service: Service, tmp_path: Path) -> None:
    again = answer(service, "register", "flows.py")
    assert {row["state"] for row in again} == {"known"}
    changed = tmp_path / "flows.py"
    changed.write_text(FLOWS.read_text().replace("return x * 2", "return x + x"))
    rows = answer(service, "register", changed, "--project", "another")
    assert {row["state"] for row in rows} == {"new"}
    assert rows[0]["version"] != again[0]["version"]


def test_a_version_is_never_replaced(service: Service, tmp_path: Path) -> None:
    flows = tmp_path / "flows.py"
    flows.write_text(FLOWS.read_text())
    assert ask(service, "register", flows, "--project", "fixed", "--version", "1") == 0
    flows.write_text(FLOWS.read_text().replace("def twice(x: int = 2)", "def twice(x: int = 3)"))
    refused = run(service, "register", flows, "--project", "fixed", "--version", "1")
    assert refused.returncode == 1
    assert "is registered with other content; register under another version" in refused.stderr


def test_each_version_runs_its_own_code_whatever_becomes_of_the_file(service: Service, tmp_path: Path) -> None:
    flows = tmp_path / "flows.py"
    for factor in ("2", "3"):
        flows.write_text(FLOWS.read_text().replace("return x * 2", f"return x * {factor}"))
        assert ask(service, "register", flows, "--project", "versions", "--version", factor) == 0
    flows.unlink()
    for version, result in (("2", 4), ("3", 9), ("2", 4)):
        words = ("launch", "twice", "--project", "versions", "--version", version, "--input", "x=1", "--wait")
        done = run(service, *words)
        assert (done.returncode, done.stdout) == (0, f"o0 = {result}\n"), done.stderr


def test_launching_waits_and_prints_the_outputs(service: Service) -> None:
    done = run(service, "launch", "twice", "--input", "x=5", "--wait")
    assert (done.returncode, done.stdout) == (0, "o0 = 20\n")
    assert "n1 double: SUCCEEDED" in done.stderr
    done = run(service, "launch", "flows.twice", "--wait", "--json")
    assert json.loads(done.stdout)["outputs"] == {"o0": 8}


def test_a_task_runs_by_itself_whether_or_not_a_workflow_uses_it(service: Service, tmp_path: Path) -> None:
    tasks = tmp_path / "tasks_only.py"
    tasks.write_text("from connectory import task\n\n\n@task\ndef triple(x: int) -> int:\n    return x * 3\n")
    assert ask(service, "register", tasks) == 0
    assert run(service, "launch", "triple", "-i", "x=5", "--wait").stdout == "o0 = 15\n"
    assert run(service, "launch", "double", "-i", "x=5", "--wait").stdout == "o0 = 10\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nothing",), "there is no launch plan or task 'nothing' in default, development; there are: flows.by_plan,"),
        (("twice", "--version", "0"), "there is no launch plan or task 'twice' in version '0'"),
        (("failing",), "missing input x: give it as --input x=VALUE"),
        (("failing", "-i", "x=1", "-i", "y=2"), "unknown input y; there are x"),
        (("failing", "-i", "x=one"), "x"),
    ],
)
def test_what_cannot_be_launched_says_why(service: Service, words: tuple[str, ...], message: str) -> None:
    done = run(service, "launch", *words)
    assert done.returncode == 1
    assert message in done.stderr


def test_a_failure_is_shown_recovered_and_relaunched(service: Service) -> None:
    done = run(service, "launch", "failing", "-i", "x=13", "--name", "failed", "--wait")
    assert done.returncode == 1
    assert "13 is a bad number" in done.stderr
    shown = answer(service, "executions", "show", "failed")
    assert (shown["phase"], shown["error"]["code"]) == ("FAILED", "ValueError")
    assert [(node["name"], node["phase"], node["task_type"]) for node in shown["nodes"]] == [
        ("explode", "FAILED", "python-task")
    ]
    for verb in ("recover", "relaunch"):
        assert run(service, "executions", verb, "failed", "--name", verb).stdout == f"{verb}\n"
    listed = answer(service, "executions", "list", "--filter", "contains(name,failed)")
    assert [each["id"] for each in listed] == ["failed"]
    assert "failed  flows.failing  FAILED" in run(service, "executions", "show", "failed").stdout


def test_gates_are_answered(service: Service) -> None:
    name = started(service, "gated")
    waiting = answer(service, "executions", "signals", name)
    assert {row["signal"]: (row["kind"], row["state"]) for row in waiting} == {
        "how_many": ("value", "waiting"),
        "fine": ("approval", "later"),
    }
    refused = run(service, "executions", "signal", name, "how_many", "many")
    assert (refused.returncode, "how_many" in refused.stderr) == (1, True)
    assert ask(service, "executions", "signal", name, "how_many", "21") == 0
    assert ask(service, "executions", "approve", name, "fine") == 0
    done = run(service, "executions", "relaunch", name)
    assert done.returncode == 0
    assert ask(service, "executions", "abort", done.stdout.strip()) == 0


def test_an_abort_returns_once_it_is_over(service: Service) -> None:
    name = started(service, "sleepy")
    done = run(service, "executions", "abort", name, "--cause", "enough")
    assert (done.returncode, done.stdout) == (0, f"{name} ABORTED\n")
    assert answer(service, "executions", "show", name)["error"]["message"] == "enough"


def test_an_address_where_nobody_answers_is_told(tmp_path: Path) -> None:
    done = command(tmp_path, "executions", "list", "--endpoint", f"unix:{tmp_path}/nobody.sock")
    assert done.returncode == 1
    assert "nobody.sock" in done.stderr


def test_without_an_endpoint_the_runner_is_inside(tmp_path: Path) -> None:
    shutil.copy(FLOWS, tmp_path / "flows.py")
    assert command(tmp_path, "register", "flows.py").returncode == 0
    done = command(tmp_path, "launch", "twice", "-i", "x=2", "--name", "inside")
    assert (done.returncode, done.stdout) == (0, "o0 = 8\n")
    listed = command(tmp_path, "executions", "list", "--json")
    assert [(each["id"], each["phase"]) for each in json.loads(listed.stdout)] == [("inside", "SUCCEEDED")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_runs_goes_on_when_the_service_starts_again(tmp_path: Path, number: signal.Signals) -> None:
    shutil.copy(FLOWS, tmp_path / "flows.py")
    with running_service(tmp_path) as first:
        assert ask(first, "register", "flows.py") == 0
        name = started(first, "gated")
        code = first.stop(number)
        assert code == (0 if number is signal.SIGTERM else -number)
    with running_service(tmp_path) as second:
        assert ask(second, "executions", "signal", name, "how_many", "4") == 0
        assert ask(second, "executions", "approve", name, "fine") == 0
        wait_for_end(second, name)
        shown = answer(second, "executions", "show", name)
        assert (shown["phase"], shown["outputs"]) == ("SUCCEEDED", {"o0": 8})
