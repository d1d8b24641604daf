"""What ended long ago is forgotten; what is needed is not."""

import asyncio
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectory.errors import StoreError, UnavailableError
from connectory.v1 import control_pb2, execution_pb2, identifiers_pb2
from tests.workflow_runner.control.flows import diamond
from tests.workflow_runner.control.harness import serving
from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.test_recovery import BROKEN, chain
from tests.workflow_runner.workflows import integer
from workflow_runner.again import recover
from workflow_runner.cache.contract import CachedResult
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.python.code import prune_code
from workflow_runner.retention.pruner import Pruner, Retention
from workflow_runner.retention.pruning import prune
from workflow_runner.runner import Runner
from workflow_runner.store.contract import UnknownExecutionError
from workflow_runner.store.opening import open_store

LATER = 1e12
"""A time after everything here."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where code is unpacked: that of other tests is not forgotten."""
    folder = tmp_path / "code"
    folder.mkdir()
    monkeypatch.setattr("workflow_runner.python.code._cache", lambda: folder)
    return folder


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "postgres":
        yield request.getfixturevalue("postgres_url")
    else:
        yield f"sqlite:///{tmp_path}/runs.db"


async def test_what_has_ended_goes_with_all_that_was_kept_of_it(url: str) -> None:
    async with Runner(open_store(url), [FakePlugin().entry()]) as runner:
        execution = await runner.start(chain())
        await runner.wait(execution)
        await runner.store.cache.keep("key", "me", CachedResult(outputs=b"", source="them", kept_at=1.0))
        would = await prune(runner.store, before=LATER, dry_run=True)
        assert (would.executions, would.results) == ([execution], 1)
        assert await runner.store.execution(execution)
        assert await prune(runner.store, before=LATER) == would
        with pytest.raises(UnknownExecutionError):
            await runner.store.log(execution)
        for table in ("events", "plugin_states", "signals", "executions", "cached_results"):
            assert await runner.store.database.rows(f"SELECT * FROM {table}") == [], table
        await runner.wait(await runner.start(chain(), execution_id=execution))


async def test_what_has_not_ended_or_ended_lately_stays(url: str) -> None:
    plugin = FakePlugin()
    async with Runner(open_store(url), [plugin.entry()]) as runner:
        ended = [await runner.start(chain()) for _ in range(3)]
        for execution in ended:
            await runner.wait(execution)
        plugin.script = {"second": ["hold"]}
        live = await runner.start(chain())
        await plugin.holding.wait()
        assert (await prune(runner.store, before=0.0)).executions == []
        latest = max([await runner.store.execution(one) for one in ended], key=lambda one: (one.ended_at, one.id))
        assert set((await prune(runner.store, before=LATER, keep=1)).executions) == {*ended} - {latest.id}
        assert {one.id for one in await runner.list()} == {latest.id, live}
        plugin.release("second")
        assert (await runner.wait(live)).phase is ExecutionPhase.SUCCEEDED


async def test_what_an_unfinished_execution_recovers_stays(url: str) -> None:
    plugin = FakePlugin({"third": [BROKEN]})
    async with Runner(open_store(url), [plugin.entry()]) as runner:
        first = await runner.start(chain())
        await runner.wait(first)
        plugin.script = {"third": ["hold"]}
        second = await recover(runner, first)
        await plugin.holding.wait()
        assert (await prune(runner.store, before=LATER)).executions == []
        plugin.release("third")
        await runner.wait(second)
        assert set((await prune(runner.store, before=LATER)).executions) == {first, second}


def test_code_that_is_not_used_any_more_goes(cache: Path) -> None:
    assert prune_code(LATER) == []
    for name, used in (("old", 1000), ("new", 3000)):
        (cache / name).mkdir()
        (cache / name / "module.py").touch()
        os.utime(cache / name, (used, used))
    assert prune_code(2000, dry_run=True) == [cache / "old"]
    assert prune_code(2000) == [cache / "old"]
    assert [folder.name for folder in cache.iterdir()] == ["new"]


async def test_what_an_accepted_recovery_needs_stays_until_that_has_begun_and_ended(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = FakePlugin({"join": [BROKEN]})

    async def unreachable(*_: object, **__: object) -> str:
        raise StoreError("the disk is full")

    async with serving(url, plugin) as control:
        first = await control.start(await control.register(diamond()), "first", a=integer(1))
        await control.ended(first)
        with monkeypatch.context() as patch:
            patch.setattr("workflow_runner.control.starting.recover", unreachable)
            with pytest.raises(UnavailableError, match="the disk is full"):
                await control.client.recover_execution(control_pb2.ExecutionRecoverRequest(id=first, name="second"))
        assert (await prune(control.runner.store, before=LATER)).executions == []
    plugin = FakePlugin()
    async with serving(url, plugin) as control:
        second = identifiers_pb2.WorkflowExecutionIdentifier(project="p", domain="d", name="second")
        await control.ended(second)
        assert [node for what, node, _ in plugin.calls if what == "start"] == ["join"]
        assert (await control.get(second)).closure.phase == execution_pb2.WorkflowExecution.SUCCEEDED
        assert set((await prune(control.runner.store, before=LATER)).executions) == {"first", "second"}


async def test_a_runner_that_serves_forgets_by_itself_what_was_asked_for_through_it(tmp_path: Path) -> None:
    async with serving(f"sqlite:///{tmp_path}/runs.db") as control:
        started = await control.start(await control.register(diamond()), "by-hand", a=integer(1))
        await control.ended(started)
        store = control.runner.store
        assert len(await store.database.rows("SELECT * FROM control_executions")) == 1
        pruner = Pruner(store, Retention(older_than=timedelta(days=30)), clock=lambda: LATER)
        pruning = asyncio.create_task(pruner.run())
        async with asyncio.timeout(20):
            while await store.database.rows("SELECT * FROM control_executions"):  # noqa: ASYNC110 - the event is in the store
                await asyncio.sleep(0.01)
        pruning.cancel()
        assert await store.executions() == []
