"""Files that earlier versions of the runner wrote are opened by this one."""

import sqlite3
from pathlib import Path

import pytest

from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.workflows import integer, literal_map
from workflow_runner.cache.contract import CachedResult
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.runner import Runner
from workflow_runner.store.contract import PluginState
from workflow_runner.store.sqlite import SqliteStore

VERSIONS = sorted(Path(__file__).parent.joinpath("versions").glob("sqlite_*.sql"))


@pytest.fixture(params=VERSIONS, ids=lambda path: path.stem)
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file with an execution that is done and one that waits for its second node, as that version left it."""
    path = tmp_path / "runs.db"
    connection = sqlite3.connect(path)
    connection.executescript(request.param.read_text())
    connection.close()
    return path


async def test_an_execution_of_an_earlier_version_goes_on(earlier: Path) -> None:
    async with Runner(SqliteStore(earlier), [FakePlugin().entry()]) as runner:
        assert {summary.id: str(summary.phase) for summary in await runner.list()} == {
            "done": "SUCCEEDED",
            "waiting": "RUNNING",
        }
        result = await runner.wait("waiting")
        assert result.phase is ExecutionPhase.SUCCEEDED
        assert result.outputs == literal_map(o=integer(4))


async def test_everything_else_is_kept_too(earlier: Path) -> None:
    async with SqliteStore(earlier) as store:
        assert (await store.plugin_states("waiting"))["n1", 0] == PluginState(version=1, data=b'{"kept":1}')
        assert await store.cache.find("key") == CachedResult(outputs=b"out", source="waiting/n0/0", kept_at=5.0)
        assert await store.signals("waiting") == {"go": b"yes"}
        assert (await store.execution("done")).ended_at is not None


async def test_an_earlier_runner_sees_that_a_file_is_newer_than_itself(earlier: Path) -> None:
    connection = sqlite3.connect(earlier)
    before = connection.execute("PRAGMA user_version").fetchone()[0]
    async with SqliteStore(earlier):
        pass
    assert connection.execute("PRAGMA user_version").fetchone()[0] > before
    connection.close()
