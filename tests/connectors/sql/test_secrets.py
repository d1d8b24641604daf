"""What a database says of a secret is neither kept nor sent, whichever server is asked."""

from pathlib import Path

import pytest

from connectors.sql import SqlConnector, SqlSettings
from connectory.client.connector import ConnectorClient
from connectory.connector.contract import Phase
from connectory.testing import task_call
from tests.connector_server.harness import serving

SECRET = "planted for a query"


async def test_a_secret_in_what_a_database_says_is_on_no_disk_and_told_by_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTORY_SECRET_DB_PLACE", SECRET)
    task = task_call("sql", config={"uri": "duckdb:////nowhere/{{ .secrets.db.place }}/x.db", "query": "SELECT 1"})
    settings = SqlSettings(folder=tmp_path)
    async with serving(SqlConnector(settings)) as peer, ConnectorClient(peer.server.addresses[0]) as client:
        handle = (await client.create(task.create_request())).resource_meta
        while not Phase((await client.get(task.get_request(handle))).resource.phase).is_terminal:
            continue
    async with serving(SqlConnector(settings)) as peer, ConnectorClient(peer.server.addresses[0]) as client:
        resource = (await client.get(task.get_request(handle))).resource
    assert '"/nowhere/***/x.db"' in resource.message
    require_free_of_secrets(tmp_path)


def require_free_of_secrets(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert not any(word in path.read_bytes() for word in (b"planted for", b"planted%20for")), path
