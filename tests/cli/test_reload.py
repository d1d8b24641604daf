"""`connectory reload` against a running server."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "server.yaml"
    file.write_text("log_level: info\n")
    return file


@pytest.fixture
def server(connectory: Command, tmp_path: Path, config: Path) -> str:
    socket = tmp_path / "reload.sock"
    process = connectory.start("serve", "--uds", socket, "--config", config, "--log-format", "json")
    assert process.stderr is not None
    for line in process.stderr:
        if '"serving"' in line:
            break
    return f"unix:{socket}"


def test_a_server_is_reloaded_and_tells_what_that_did(connectory: Command, server: str, config: Path) -> None:
    config.write_text("max_in_flight: 5000\ngrace: 5\n")
    outcome = connectory("reload", "--connectors", server)
    assert outcome.returncode == 0, outcome.stderr
    assert f"{server} reloaded\n" in outcome.stdout
    assert "  changed: max_in_flight\n" in outcome.stdout
    assert "  takes effect after a restart: grace\n" in outcome.stdout

    (told,) = json.loads(connectory("reload", "--connectors", server, "--json").stdout)
    assert (told["changed"], told["failed"], told["refused"], told["others"]) == ([], [], "", 0)
    assert "Http" in " ".join(told["reloaded"]).title()


def test_a_configuration_that_cannot_be_used_is_named_and_the_server_goes_on(
    connectory: Command, server: str, config: Path
) -> None:
    config.write_text("grace: never\n")
    outcome = connectory("reload", "--connectors", server)
    assert outcome.returncode == 1
    assert f"{server} goes on as before: grace='never' cannot be used" in outcome.stdout
    (told,) = json.loads(connectory("reload", "--connectors", server, "--json").stdout)
    assert "grace='never'" in told["refused"]
    assert connectory("health", server).returncode == 0


def test_a_connector_that_does_not_load_is_named(connectory: Command, server: str, config: Path) -> None:
    config.write_text("modules: [no_such_module]\n")
    outcome = connectory("reload", "--connectors", server)
    assert outcome.returncode == 1
    assert "  no_such_module could not be loaded: ModuleNotFoundError" in outcome.stdout


def test_a_module_of_the_current_folder_can_be_added_later(
    connectory: Command, server: str, config: Path, tmp_path: Path
) -> None:
    (tmp_path / "late_connector.py").write_text(
        "from connectory.connector.contract import SyncConnector\n"
        "class Late(SyncConnector):\n"
        "    name = 'Late'\n"
        "    task_type = 'late'\n"
        "    def execute(self, ctx): ...\n"
    )
    config.write_text("modules: [late_connector]\n")
    (told,) = json.loads(connectory("reload", "--connectors", server, "--json").stdout)
    assert (told["added"], told["failed"]) == (["Late"], [])
