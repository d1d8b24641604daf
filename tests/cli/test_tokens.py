"""The command line towards servers that demand a token."""

from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Command, wait_for_line

TOKEN = "the-token-of-the-command-line"


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.yaml"
    path.write_text(yaml.safe_dump({"callers": [{"name": "me", "scopes": ["*:*"], "token": TOKEN}]}))
    return path


def bring(connectory: Command) -> None:
    path = connectory.folder / "token"
    path.write_text(TOKEN)
    connectory.environment["CONNECTORY_TOKEN_FILE"] = str(path)


def test_connector_servers_are_reached_with_the_token_of_the_environment(connectory: Command, tokens: Path) -> None:
    socket = connectory.folder / "c.sock"
    process = connectory.start("serve", "--uds", socket, "--tokens", tokens, "--log-format", "json")
    wait_for_line(process.stderr, '"serving"')
    commands = (
        ("connectors", "list", "--server", f"unix:{socket}"),
        ("jobs", "list", "--connectors", f"unix:{socket}"),
        ("connectors", "check", f"unix:{socket}", "--category", "echo", "--only", "listed"),
    )
    for words in commands:
        refused = connectory(*words)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "brings no token" in refused.stderr
        assert "CONNECTORY_TOKEN_FILE" in refused.stderr
    bring(connectory)
    for words in commands:
        answered = connectory(*words)
        assert answered.returncode == 0, answered.stderr


def test_a_runner_is_reached_with_the_token_of_the_environment(connectory: Command, tokens: Path) -> None:
    socket = connectory.folder / "r.sock"
    wait_for_line(connectory.start("runner", "serve", "--uds", socket, "--tokens", tokens).stderr, "serving")
    words = ("executions", "list", "--endpoint", f"unix:{socket}")
    refused = connectory(*words)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "CONNECTORY_TOKEN_FILE" in refused.stderr
    bring(connectory)
    answered = connectory(*words)
    assert answered.returncode == 0, answered.stderr
