"""Stores that earlier versions of the runner wrote are opened by this one."""

import sqlite3
from pathlib import Path

import pytest

from tests.postgres import PostgresServer
from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.workflows import integer, literal_map
from workflow_runner.cache.contract import CachedResult
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.runner import Runner
from workflow_runner.store.contract import PluginState
from workflow_runner.store.opening import open_store
from workflow_runner.store.sqlite import SqliteStore

VERSIONS = Path(__file__).parent / "versions"


@pytest.fixture(params=sorted(VERSIONS.glob("*.sql")), ids=lambda path: path.stem)
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store with an execution that is done and one that waits for its second node, as that version left it."""
    script: Path = request.param
    if script.stem.startswith("postgres"):
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = str(request.getfixturevalue("postgres_url"))
        server.query(f"SET search_path = {url.rpartition('=')[2]}; {script.read_text()}")
        return url
    _restore(script, tmp_path / "runs.db")
    return f"sqlite:///{tmp_path}/runs.db"


def _restore(script: Path, path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(script.read_text())
    connection.close()


async def test_an_execution_of_an_earlier_version_goes_on(earlier: str) -> None:
    async with Runner(open_store(earlier), [FakePlugin().entry()]) as runner:
        assert {summary.id: str(summary.phase) for summary in await runner.list()} == {
            "done": "SUCCEEDED",
            "waiting": "RUNNING",
        }
        result = await runner.wait("waiting")
        assert result.phase is ExecutionPhase.SUCCEEDED
        assert result.outputs == literal_map(o=integer(4))


async def test_everything_else_is_kept_too(earlier: str) -> None:
    async with open_store(earlier) as store:
        assert (await store.plugin_states("waiting"))["n1", 0] == PluginState(version=1, data=b'{"kept":1}')
        assert await store.cache.find("key") == CachedResult(outputs=b"out", source="waiting/n0/0", kept_at=5.0)
        assert await store.signals("waiting") == {"go": b"yes"}
        assert (await store.execution("done")).ended_at is not None
        assert (await store.execution("waiting")).ended_at is None


async def test_an_earlier_runner_sees_that_a_file_is_newer_than_itself(tmp_path: Path) -> None:
    _restore(VERSIONS / "sqlite_3.sql", tmp_path / "runs.db")
    async with SqliteStore(tmp_path / "runs.db"):
        pass
    connection = sqlite3.connect(tmp_path / "runs.db")
    assert connection.execute("PRAGMA user_version").fetchone()[0] > 3
    connection.close()
