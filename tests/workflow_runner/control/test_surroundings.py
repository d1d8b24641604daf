"""Python tasks run where the runner is, whatever container or pod their template describes, with its variables."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.workflow_runner.control.service import Service, command, running_service

FLOWS = Path(__file__).with_name("surrounded_flows.py")


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    return Path(shutil.copy(FLOWS, tmp_path / "flows.py"))


def test_variables_of_task_pod_and_execution_reach_the_code_of_a_registered_version(flows: Path) -> None:
    with running_service(flows.parent) as service:
        assert ask(service, "register", flows).returncode == 0
        flows.unlink()
        done = ask(service, "launch", "surrounded", "--env", "OF_EXECUTION=all", "--wait", "--json")
        assert json.loads(done.stdout)["outputs"] == {
            "o0": "OF_TASK=task OF_POD=None OF_EXECUTION=all",
            "o1": "OF_TASK=task OF_POD=pod OF_EXECUTION=all",
            "o2": "OF_TASK=task OF_POD=pod OF_EXECUTION=all",
        }


def test_a_pod_around_a_task_does_not_hide_its_code(flows: Path) -> None:
    done = command(flows.parent, "run", flows, "surrounded", "--json")
    assert json.loads(done.stdout)["outputs"] == {
        "o0": "OF_TASK=task OF_POD=None OF_EXECUTION=None",
        "o1": "OF_TASK=task OF_POD=pod OF_EXECUTION=None",
        "o2": "OF_TASK=task OF_POD=pod OF_EXECUTION=None",
    }, done.stderr


def test_what_is_no_variable_is_told(flows: Path) -> None:
    done = command(flows.parent, "launch", "surrounded", "--env", "OF_EXECUTION")
    assert (done.returncode, "--env 'OF_EXECUTION' is not NAME=VALUE" in done.stderr) == (1, True)


def ask(service: Service, *words: object) -> subprocess.CompletedProcess[str]:
    return command(service.folder, *words, "--endpoint", service.endpoint)
