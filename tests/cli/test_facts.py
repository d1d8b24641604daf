"""What an external system says of its job for people to see, on the command line."""

import json
from pathlib import Path

from tests.cli.conftest import FLOWS, Command


def test_facts_are_shown_beside_the_links(connectory: Command, tmp_path: Path) -> None:
    (tmp_path / "gate").touch()
    ran = connectory("run", FLOWS, "gated", "--input", f"folder={tmp_path}", "--name", "facts")
    assert ran.returncode == 0, ran.stderr
    view = json.loads(connectory("executions", "show", "facts", "--json").stdout)
    (facts,) = [node["facts"] for node in view["nodes"] if node["facts"]]
    assert facts["supervisor_pid"] > 0
    shown = connectory("executions", "show", "facts").stdout
    assert f"host: {facts['host']}" in shown
    assert f"supervisor_pid: {facts['supervisor_pid']}" in shown
