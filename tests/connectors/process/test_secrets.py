"""A secret that a command writes is taken out of what callers read, also by a server that did not start the command."""

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.process import ProcessConnector, ProcessSettings
from connectory.client.connector import ConnectorClient
from connectory.connector.contract import Phase
from connectory.testing import task_call
from tests.connector_server.harness import serving

SECRET = "planted-for-a-command"


async def test_a_secret_that_a_command_writes_is_taken_out_by_every_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTORY_SECRET_DB_TOKEN", SECRET)
    config = {
        "command": ['echo "it is $TOKEN"; echo "wrong: $TOKEN" >&2; exit 3'],
        "shell": True,
        "env": {"TOKEN": "{{ .secrets.db.token }}"},
    }
    task = task_call("process", config=config)
    settings = ProcessSettings(folder=tmp_path)
    async with serving(ProcessConnector(settings)) as peer, ConnectorClient(peer.server.addresses[0]) as client:
        handle = (await client.create(task.create_request())).resource_meta
        while not Phase((await client.get(task.get_request(handle))).resource.phase).is_terminal:
            continue
    async with serving(ProcessConnector(settings)) as peer, ConnectorClient(peer.server.addresses[0]) as client:
        lines = [line async for answer in client.logs(task.logs_request(handle)) for line in answer.body.results]
    async with serving(ProcessConnector(settings)) as peer, ConnectorClient(peer.server.addresses[0]) as client:
        resource = (await client.get(task.get_request(handle))).resource
    assert lines == ["it is ***", "wrong: ***"]
    assert resource.message == "exit code 3: wrong: ***"
    assert kept(tmp_path)["secrets"] == [["token", "db", None]]


def kept(folder: Path) -> dict[str, Any]:
    """What is written down of the only job; nothing secret."""
    (stored,) = folder.glob("*/job.json")
    text = stored.read_text()
    assert SECRET not in text
    found: dict[str, Any] = json.loads(text)
    return found
