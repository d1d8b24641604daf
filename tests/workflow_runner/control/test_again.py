"""Executions of a service that are recovered with a choice, and what their jobs have written."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_again import FIRST, MENDED
from tests.workflow_runner.control.service import Service, command, running_service, wait_for_end

WRITING = """
from connectory import ProcessTask, workflow

writes = ProcessTask("writes", command=["sh", "-c", "echo one; echo two"])


@workflow
def written() -> None:
    writes()
"""
PLAN = """
from connectory import LaunchPlan

latest = LaunchPlan.get_or_create(flow, "latest", auto_activate=True)
"""
OTHER = "from connectory import task\n\n\n@task\ndef nothing() -> None:\n    return\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("service")) as running:
        yield running


def ask(service: Service, *words: object) -> subprocess.CompletedProcess[str]:
    return command(service.folder, *words, "--endpoint", service.endpoint)


@pytest.fixture
def broken(service: Service, tmp_path: Path) -> tuple[str, Path]:
    """An execution that failed, and the file with its workflow."""
    file = tmp_path / "mended_later.py"
    file.write_text(FIRST + PLAN)
    name = f"broken-{tmp_path.name.rpartition('_')[2]}-{len(list(service.folder.iterdir()))}"
    (service.folder / name).touch()
    assert ask(service, "register", file).returncode == 0
    done = ask(service, "launch", "latest", "-i", f"folder={tmp_path}", "--name", name, "--wait")
    assert done.returncode == 1, done.stderr
    return name, file


def test_new_code_is_registered_shown_and_run_where_the_old_one_failed(
    service: Service, broken: tuple[str, Path], tmp_path: Path
) -> None:
    name, file = broken
    file.write_text(MENDED + PLAN)
    words = ("executions", "recover", name, "--with-new-code", file)
    done = ask(service, *words, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert {row["id"]: row["change"] for row in shown} == {"n0": "reused", "n1": "changed", "n2": "unfinished"}
    done = ask(service, *words, "--name", f"{name}-2")
    assert (done.returncode, done.stdout) == (0, f"{name}-2\n"), done.stderr
    assert "n1 fragile: changed" in done.stderr
    assert "1 of 3 nodes are taken over" in done.stderr
    wait_for_end(service, f"{name}-2")
    view = json.loads(ask(service, "executions", "show", f"{name}-2", "--json").stdout)
    assert (view["phase"], view["outputs"]) == ("SUCCEEDED", {"o0": 33})
    assert (tmp_path / "count").read_text() == "x"
    active = ask(service, "launch", "latest", "-i", f"folder={tmp_path}", "--wait")
    assert "no luck" in active.stderr  # which the version says that was registered to be active


def test_nodes_that_are_named_run_again(service: Service, broken: tuple[str, Path], tmp_path: Path) -> None:
    name, _ = broken
    again = ask(service, "executions", "recover", name, "--rerun", "n0", "--name", f"{name}-2")
    assert again.returncode == 0, again.stderr
    wait_for_end(service, f"{name}-2")
    assert (tmp_path / "count").read_text() == "xx"
    refused = ask(service, "executions", "recover", name, "--rerun", "n7")
    assert (refused.returncode, "has no node 'n7' to run again; it has n0, n1" in refused.stderr) == (1, True)


def test_new_code_must_be_that_of_the_same_workflow_and_take_its_inputs(
    service: Service, broken: tuple[str, Path], tmp_path: Path
) -> None:
    name, file = broken
    file.write_text(MENDED.replace("def flow(folder: str)", "def flow(folder: str, extra: int)") + PLAN)
    refused = ask(service, "executions", "recover", name, "--with-new-code", file, "--name", f"{name}-2")
    assert (refused.returncode, "extra" in refused.stderr) == (1, True)
    other = tmp_path / "other.py"
    other.write_text(OTHER)
    refused = ask(service, "executions", "recover", name, "--with-new-code", other)
    assert refused.returncode == 1
    assert f"holds no 'latest', which {name} runs" in refused.stderr
    assert ask(service, "executions", "show", f"{name}-2").returncode == 1


def test_logs_of_a_job_are_asked_of_the_service(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "writing.py"
    file.write_text(WRITING)
    assert ask(service, "register", file).returncode == 0
    assert ask(service, "launch", "written", "--name", "written", "--wait").returncode == 0
    done = ask(service, "executions", "logs", "written", "n0")
    assert (done.returncode, done.stdout) == (0, "one\ntwo\n"), done.stderr
    told = json.loads(ask(service, "executions", "logs", "written", "n0", "--lines", "1", "--json").stdout)
    assert (told["attempt"], told["lines"]) == (0, ["one"])
    assert ask(service, "executions", "logs", "written", "n0", "--tail", "1", "--follow").stdout == "two\n"
    refused = ask(service, "executions", "logs", "written", "n9")
    assert (refused.returncode, "has no node 'n9'; it has n0" in refused.stderr) == (1, True)
