"""Runners that share a store, in one process: who drives what, who is refused, and who goes on with what is left."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connectory.compiler import compile_workflow
from connectory.errors import StoreError
from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.plugins import tasks
from tests.workflow_runner.plugins.test_python_task import files
from tests.workflow_runner.test_store_trouble import CHAIN, FailingStore
from tests.workflow_runner.workflows import integer, literal_map, string
from workflow_runner.plugins.python_task import python_task_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.contract import LogConflictError, LogRecord
from workflow_runner.store.leases import LeaseHeldError
from workflow_runner.store.opening import open_store
from workflow_runner.store.owners import describe_owner, is_gone, new_owner
from workflow_runner.views import ExecutionResult

ELSEWHERE = "another-machine/7/1/unknown/1"
DONE = literal_map(o=integer(4))


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/runs.db"


@asynccontextmanager
async def opened(
    url: str, plugin: FakePlugin | None = None, *, owner: str = "", lease: float = 30.0, adopt: bool = False
) -> AsyncIterator[Runner]:
    plugins = [(plugin or FakePlugin()).entry()]
    async with Runner(open_store(url, owner=owner), plugins, lease=lease, adopt=adopt) as runner:
        yield runner


async def test_what_a_living_runner_drives_is_not_resumed_by_another_one(url: str) -> None:
    plugin = FakePlugin({"n1": ["hold"]})
    async with opened(url, plugin, owner=ELSEWHERE) as first, opened(url) as second:
        execution = await first.start(CHAIN)
        await plugin.holding.wait()
        refusal = (
            "driven by the runner with process id 7 on another-machine, whose lease lasts for another .* take it over"
        )
        with pytest.raises(LeaseHeldError, match=refusal):
            await second.resume(execution)
        assert await second.adopt() == []
        waiting = asyncio.create_task(second.wait(execution))
        plugin.release("n1")
        assert (await waiting).outputs == DONE
        assert (await first.wait(execution)).outputs == DONE


async def test_it_can_be_taken_from_it_and_then_it_lets_go(url: str) -> None:
    plugin = FakePlugin({"n1": ["hold"]})
    async with opened(url, plugin, lease=0.3) as first, opened(url) as second:
        execution = await first.start(CHAIN)
        await plugin.holding.wait()
        waiting = asyncio.create_task(first.wait(execution))
        await second.resume(execution, take_over=True)
        assert (await second.wait(execution)).outputs == DONE
        with pytest.raises(LogConflictError, match="another runner has taken the execution over"):
            await waiting
        assert "abort" not in {call[0] for call in plugin.calls}


async def test_what_a_runner_leaves_in_order_is_free_at_once(url: str) -> None:
    plugin = FakePlugin({"n1": ["hold"]})
    async with opened(url, plugin, owner=ELSEWHERE) as first:
        executions = [await first.start(CHAIN) for _ in range(3)]
        await plugin.holding.wait()
    async with opened(url) as second:
        assert sorted(await second.adopt()) == sorted(executions)
        assert [(await second.wait(each)).outputs for each in executions] == [DONE] * 3
        assert await second.adopt() == []


async def test_an_adopting_runner_hears_that_something_is_free(url: str) -> None:
    plugin = FakePlugin({"n1": ["hold"]})
    async with opened(url, adopt=True, lease=1.5) as second:
        async with opened(url, plugin, owner=ELSEWHERE) as first:
            execution = await first.start(CHAIN)
            await plugin.holding.wait()
        assert (await second.wait(execution)).outputs == DONE


async def test_an_execution_that_cannot_be_read_keeps_no_other_one_waiting(url: str) -> None:
    plugin = FakePlugin({"n1": ["hold"]})
    async with opened(url, plugin) as first:
        good, bad = await first.start(CHAIN), await first.start(CHAIN)
        await plugin.holding.wait()
    async with open_store(url) as store:
        (record,) = [found for found in await store.executions() if found.id == bad]
        await store.append(bad, len(await store.log(bad)), [LogRecord(event=b"nonsense", commands=b"")], record)
    async with opened(url) as second:
        assert await second.adopt() == [good]
        assert (await second.wait(good)).outputs == DONE
        assert await second.adopt() == []


async def test_an_execution_that_paused_because_of_the_store_is_gone_on_with_later(tmp_path: Path) -> None:
    store = FailingStore(tmp_path / "runs.db", left=2)
    async with Runner(store, [FakePlugin().entry()], lease=0.3, adopt=True) as runner:
        execution = await runner.start(CHAIN)
        with pytest.raises(StoreError, match="the disk is full"):
            await runner.wait(execution)
        store.left = 1000
        assert (await _waited_through_pauses(runner, execution)).outputs == DONE


async def _waited_through_pauses(runner: Runner, execution: str) -> ExecutionResult:
    while True:
        try:
            return await runner.wait(execution)
        except StoreError:
            await asyncio.sleep(0.01)


async def test_a_runner_that_only_looks_leaves_no_trace(url: str) -> None:
    async with opened(url) as first:
        execution = await first.start(CHAIN)
        await first.wait(execution)
        async with opened(url) as second:
            await second.wait(execution)
            await second.list()
            await second.show(execution)
            statement = "SELECT count(*) FROM owners"
            assert await second.store.database.rows(statement) == [(1,)]
    async with opened(url) as third:
        assert await third.store.database.rows(statement) == [(0,)]


def test_a_process_is_known_to_be_gone_only_on_its_own_machine() -> None:
    host, pid, start, machine, nonce = new_owner().split("/")
    assert not is_gone("/".join((host, pid, start, machine, nonce)))
    assert is_gone("/".join((host, pid, f"{start}0", machine, nonce)))
    assert is_gone("/".join((host, str(2**22 + 1), start, machine, nonce)))
    assert not is_gone("/".join((host, str(2**22 + 1), start, "another", nonce)))
    assert not is_gone("anything")
    assert describe_owner(ELSEWHERE) == "the runner with process id 7 on another-machine"
    assert describe_owner("anything") == "'anything'"


async def test_python_code_of_what_was_taken_over_runs_in_one_process_only(tmp_path: Path) -> None:
    url, folder = f"sqlite:///{tmp_path}/runs.db", tmp_path / "processes"
    folder.mkdir()
    async with Runner(open_store(url), [python_task_plugin(workers=1)], lease=0.3) as first:
        inputs = literal_map(folder=string(str(folder)))
        execution = await first.start(compile_workflow(tasks.never_ends), inputs)
        (process,) = await files(folder, 1)
        async with Runner(open_store(url), [python_task_plugin(workers=1)]) as second:
            await second.resume(execution, take_over=True)
            with pytest.raises(LogConflictError):
                await first.wait(execution)
            with pytest.raises(ProcessLookupError):
                os.kill(int(process), 0)
            assert len(await files(folder, 2)) == 2
            await second.abort(execution)


async def test_runners_tell_each_other_what_is_free_or_taken_instead_of_waiting_for_leases(url: str) -> None:
    theirs, ours = FakePlugin({"n1": ["hold"]}), FakePlugin({"n1": ["hold"]})
    hour = 3600.0
    async with opened(url, ours, lease=hour, adopt=True) as adopting:
        async with opened(url, theirs, owner=ELSEWHERE, lease=hour) as first:
            taken, left = await first.start(CHAIN), await first.start(CHAIN)
            await theirs.holding.wait()
            waiting = asyncio.create_task(first.wait(taken))
            await adopting.resume(taken, take_over=True)
            with pytest.raises(LogConflictError, match="another runner has taken the execution over"):
                await waiting
            await ours.holding.wait()
            ours.holding.clear()
        await ours.holding.wait()
        assert {key.split("/")[0] for key in ours.live} == {taken, left}
