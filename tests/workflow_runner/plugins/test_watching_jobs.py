"""The runner hears of its jobs' changes from the real server, and asks only where it does not hear."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connector_server.watching import TaskWatches
from connectory.client.connector import ConnectorClient
from connectory.connector.contract import Phase
from connectory.v1 import workflow_pb2
from tests.connector_server.harness import Peer, serving
from tests.connector_server.watched import Bulletin, EagerConnector
from tests.workflow_runner.workflows import closure, node, task, workflow
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.connector import connector_plugin
from workflow_runner.plugins.patience import Patience
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store
from workflow_runner.views import NodeUpdate

PATIENT = Patience(first_word=60, first_retry=0.01, slowest_retry=0.05, first_poll=0.01, slowest_poll=0.05)


@pytest.fixture
def bulletin(tmp_path: Path) -> Bulletin:
    return Bulletin(tmp_path / "bulletin")


@pytest.fixture
def socket() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder, "s")


@asynccontextmanager
async def runner(socket: Path, url: str = "memory://", patience: Patience = PATIENT) -> AsyncIterator[Runner]:
    async with Runner(open_store(url), [connector_plugin([ConnectorClient(f"unix:{socket}")], patience)]) as opened:
        yield opened


def job(bulletin: Bulletin, name: str = "j") -> workflow_pb2.CompiledWorkflowClosure:
    template = task("t", "eager", custom={"name": name, "folder": str(bulletin.folder)})
    return closure(workflow("w", [node("n", template)]), [template])


def calls(peer: Peer, operation: str) -> int:
    return sum(sum(series.codes) for series in peer.server.measurements.of(operation).values())


async def seen(runner: Runner, execution: str, message: str) -> None:
    """Wait until the node shows this."""
    async with asyncio.timeout(20):
        async for update in runner.subscribe(execution):
            if isinstance(update, NodeUpdate) and message in update.node.message:
                return
    raise AssertionError(f"the execution has ended without showing {message!r}")


async def test_changes_reach_the_runner_without_one_question(socket: Path, bulletin: Bulletin) -> None:
    bulletin.write("j", phase="QUEUED", message="in a queue")
    async with serving(EagerConnector(), uds=[socket]) as peer, runner(socket) as opened:
        execution = await opened.start(job(bulletin))
        await seen(opened, execution, "in a queue")
        bulletin.write("j", message="halfway")
        await seen(opened, execution, "halfway")
        bulletin.write("j", phase="SUCCEEDED")
        async with asyncio.timeout(20):
            result = await opened.wait(execution)
        assert calls(peer, "GetTask") == 0
    assert result.phase is ExecutionPhase.SUCCEEDED


async def test_facts_of_the_external_system_reach_whoever_watches(socket: Path, bulletin: Bulletin) -> None:
    async with serving(EagerConnector(), uds=[socket]), runner(socket) as opened:
        bulletin.write("j", message="begun", facts={"query": "q-7", "stages": [1, 2.5]})
        execution = await opened.start(job(bulletin))
        await seen(opened, execution, "begun")
        (node,) = (await opened.show(execution)).nodes
        assert json.loads(node.facts) == {"query": "q-7", "stages": [1, 2.5]}
        bulletin.write("j", message="halfway")
        await seen(opened, execution, "halfway")
        (node,) = (await opened.show(execution)).nodes
        assert json.loads(node.facts)["query"] == "q-7", "what is not said again stays"
        bulletin.write("j", message="at its end", phase="FAILED", facts={"query": "q-7", "text": "x" * 5000})
        async with asyncio.timeout(20):
            await opened.wait(execution)
        (node,) = (await opened.show(execution)).nodes
        assert json.loads(node.facts) == {"custom_info": "left out: 5028 characters"}


async def test_where_a_server_has_no_stream_the_runner_asks(
    socket: Path, bulletin: Bulletin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TaskWatches, "handlers", lambda *_: {})
    bulletin.write("j", phase="QUEUED", message="in a queue")
    async with serving(EagerConnector(), uds=[socket]) as peer, runner(socket) as opened:
        execution = await opened.start(job(bulletin))
        await seen(opened, execution, "in a queue")
        bulletin.write("j", message="halfway")
        await seen(opened, execution, "halfway")
        bulletin.write("j", phase="SUCCEEDED")
        async with asyncio.timeout(20):
            result = await opened.wait(execution)
        assert calls(peer, "GetTask") >= 3
        assert calls(peer, "WatchTasks") == 0
    assert result.phase is ExecutionPhase.SUCCEEDED


async def test_all_executions_share_one_stream_and_leave_nothing_watched(socket: Path, bulletin: Bulletin) -> None:
    names = [str(number) for number in range(5)]
    for name in names:
        bulletin.write(name, message=f"job {name}")
    async with serving(EagerConnector(), uds=[socket]) as peer, runner(socket) as opened:
        executions = [await opened.start(job(bulletin, name)) for name in names]
        await asyncio.gather(*(seen(opened, execution, "job") for execution in executions))
        assert sum(series.in_flight for series in peer.server.measurements.of("WatchTasks").values()) == 1
        await opened.abort(executions[0])
        for name in names[1:]:
            bulletin.write(name, phase="FAILED")
        async with asyncio.timeout(20):
            results = await asyncio.gather(*map(opened.wait, executions))
        (count,) = peer.server.dispatcher.watching.counts()
        assert count.jobs == 0
    assert [result.phase for result in results] == [ExecutionPhase.ABORTED] + [ExecutionPhase.FAILED] * 4
    assert not (bulletin.folder / names[0]).exists()


async def test_a_server_that_is_replaced_costs_no_attempt(socket: Path, bulletin: Bulletin) -> None:
    bulletin.write("j", message="at the first")
    async with runner(socket) as opened:
        async with serving(EagerConnector(), uds=[socket]):
            execution = await opened.start(job(bulletin))
            await seen(opened, execution, "at the first")
        bulletin.write("j", message="at the second")
        async with serving(EagerConnector(), uds=[socket]):
            await seen(opened, execution, "at the second")
            bulletin.write("j", phase="SUCCEEDED")
            async with asyncio.timeout(20):
                result = await opened.wait(execution)
        (shown,) = (await opened.show(execution)).nodes
    assert result.phase is ExecutionPhase.SUCCEEDED
    assert shown.attempt == 0


async def test_trouble_that_is_heard_of_makes_the_runner_ask_and_fails_nothing(
    socket: Path, bulletin: Bulletin
) -> None:
    bulletin.write("j", message="fine")
    async with serving(EagerConnector(), uds=[socket]) as peer, runner(socket) as opened:
        execution = await opened.start(job(bulletin))
        await seen(opened, execution, "fine")
        assert calls(peer, "GetTask") == 0
        bulletin.write("j", away=True)
        await seen(opened, execution, "the system is away; asking again")
        bulletin.write("j", message="fine again")
        await seen(opened, execution, "fine again")
        bulletin.write("j", phase="SUCCEEDED")
        async with asyncio.timeout(20):
            assert (await opened.wait(execution)).phase is ExecutionPhase.SUCCEEDED
        assert calls(peer, "GetTask") > 0


async def test_silence_counts_from_when_something_was_last_heard(socket: Path, bulletin: Bulletin) -> None:
    bulletin.write("j", message="fine")
    patience = Patience(silence=0.2, first_word=60, first_retry=0.01, slowest_retry=0.05)
    async with serving(EagerConnector(), uds=[socket]) as peer, runner(socket, patience=patience) as opened:
        execution = await opened.start(job(bulletin), settings=ExecutionSettings(system_retries=0))
        await seen(opened, execution, "fine")
        await _polled(bulletin, "j", 20)
        (before,) = (await opened.show(execution)).nodes
        assert before.job_phase is Phase.RUNNING
        bulletin.write("j", away=True)
        async with asyncio.timeout(20):
            result = await opened.wait(execution)
        assert calls(peer, "GetTask") > 1
    assert result.phase is ExecutionPhase.FAILED
    assert "no good answer for" in str(result.error)


async def test_a_job_that_is_gone_is_asked_for_before_it_is_given_up(socket: Path, bulletin: Bulletin) -> None:
    bulletin.write("j", message="fine")
    async with serving(EagerConnector(), uds=[socket]) as peer, runner(socket) as opened:
        execution = await opened.start(job(bulletin))
        await seen(opened, execution, "fine")
        (bulletin.folder / "j").unlink()
        async with asyncio.timeout(20):
            result = await opened.wait(execution)
        assert calls(peer, "GetTask") > 0
    assert result.phase is ExecutionPhase.FAILED
    assert "JOB_NOT_FOUND" in str(result.error)


async def test_a_runner_that_goes_on_asks_first_and_hears_then(
    socket: Path, bulletin: Bulletin, tmp_path: Path
) -> None:
    bulletin.write("j", message="before")
    url = f"sqlite:///{tmp_path / 'store.db'}"
    async with serving(EagerConnector(), uds=[socket]) as peer:
        async with runner(socket, url) as opened:
            execution = await opened.start(job(bulletin))
            await seen(opened, execution, "before")
        assert calls(peer, "GetTask") == 0
        bulletin.write("j", message="after")
        async with runner(socket, url) as opened:
            await opened.resume(execution)
            await seen(opened, execution, "after")
            assert calls(peer, "GetTask") == 1
            bulletin.write("j", phase="SUCCEEDED")
            async with asyncio.timeout(20):
                assert (await opened.wait(execution)).phase is ExecutionPhase.SUCCEEDED
        assert calls(peer, "GetTask") == 1


async def test_a_job_that_is_heard_of_is_asked_about_now_and_then(socket: Path, bulletin: Bulletin) -> None:
    bulletin.write("j", message="fine")
    patience = Patience(unheard=0.05, first_word=60)
    async with serving(EagerConnector(), uds=[socket]) as peer, runner(socket, patience=patience) as opened:
        execution = await opened.start(job(bulletin))
        await seen(opened, execution, "fine")
        async with asyncio.timeout(20):
            while calls(peer, "GetTask") < 3:  # noqa: ASYNC110 - nobody tells of calls
                await asyncio.sleep(0.01)
        await opened.abort(execution)


async def _polled(bulletin: Bulletin, name: str, times: int) -> None:
    until = bulletin.polls(name) + times
    async with asyncio.timeout(20):
        while bulletin.polls(name) < until:  # noqa: ASYNC110 - the event is in the connector
            await asyncio.sleep(0.01)
