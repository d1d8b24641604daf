"""Executions that are gone on with while another connector service is there than the one that was asked for a job."""

import dataclasses
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from connectory.client.connector import ConnectorClient
from connectory.errors import NotFoundError
from connectory.v1 import workflow_pb2
from tests.workflow_runner.plugins.fake_service import FakeSystem, fake_service
from tests.workflow_runner.workflows import INTEGER, closure, constant, integer, node, promise, task, workflow
from workflow_runner.again import first_event, recover, relaunch
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.job_logs import job_of, log_of
from workflow_runner.plugins.connector import connector_plugin
from workflow_runner.plugins.patience import Patience
from workflow_runner.recovery import recovering
from workflow_runner.runner import Runner
from workflow_runner.store.contract import OF_EXECUTION
from workflow_runner.store.opening import open_store
from workflow_runner.views import ExecutionResult, NodeUpdate, NodeView

QUICK = Patience(first_poll=0.001, slowest_poll=0.01, first_retry=0.001, slowest_retry=0.01, elsewhere=0.0)
HASTY = Patience(first_poll=0.001, first_retry=0.001, slowest_retry=0.01, elsewhere=0.0, start=0.0, silence=0.0)


class Places:
    """Connector services by name, each with jobs of its own, and the store of the runners."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder}/runs.db"
        self.systems: dict[str, FakeSystem] = {}

    def at(self, name: str, **told: object) -> FakeSystem:
        """The service of this name; without further words it tells of a ledger of its own."""
        return self.systems.setdefault(name, FakeSystem(**{"ledger": name, **told}))  # type: ignore[arg-type]

    @asynccontextmanager
    async def runner(self, *names: str, patience: Patience = QUICK) -> AsyncIterator[Runner]:
        """A runner with these connectors, which serve as long as it is open."""
        async with AsyncExitStack() as stack:
            clients = []
            for name in names:
                target = await stack.enter_async_context(fake_service(self.folder / name, self.at(name)))
                clients.append(ConnectorClient(target))
            yield await stack.enter_async_context(Runner(open_store(self.url), [connector_plugin(clients, patience)]))


@pytest.fixture
def places() -> Iterator[Places]:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are too long for a socket's name
        yield Places(Path(folder))


def jobs(count: int = 1, rounds: int = 10**9, retries: int = 0) -> workflow_pb2.CompiledWorkflowClosure:
    """Jobs that go on until they are deleted, beside each other."""
    job = task("t", inputs={"a": INTEGER}, outputs={"o": INTEGER}, custom={"rounds": rounds}, retries=retries)
    nodes = [node(f"n{number}", job, {"a": constant(integer(number))}) for number in range(count)]
    return closure(workflow("w", nodes), [job])


async def said(runner: Runner, execution: str, text: str) -> NodeView:
    """A node, once it says this."""
    async for update in runner.subscribe(execution):
        if isinstance(update, NodeUpdate) and text in update.node.message:
            return update.node
    raise AssertionError(f"no node said {text!r}")


async def cut_off(places: Places, name: str, closure: workflow_pb2.CompiledWorkflowClosure | None = None) -> str:
    """An execution whose runner ended after this service had created its job, and before it heard of that."""
    places.at(name).trouble["create"] = ["lost"] * 10_000
    async with places.runner(name) as runner:
        execution = await runner.start(jobs() if closure is None else closure)
        await said(runner, execution, "asking again")
    places.at(name).trouble.clear()
    assert len(places.at(name).jobs) == 1
    return execution


def left(view: Sequence[NodeView]) -> Sequence[str]:
    return [
        each.error.message for each in view if each.error is not None and each.error.code == "JOB_NOT_CONFIRMED_GONE"
    ]


async def aborted(runner: Runner, execution: str) -> tuple[ExecutionResult, Sequence[str]]:
    """How it ended, and what was said of jobs that may be left."""
    result = await runner.abort(execution)
    return result, left((await runner.show(execution)).nodes)


async def test_an_abort_asks_no_other_service_and_confirms_nothing(places: Places) -> None:
    execution = await cut_off(places, "first")
    async with places.runner("second") as runner:
        result, (message,) = await aborted(runner, execution)
    assert result.phase is ExecutionPhase.ABORTED
    assert f"name --connectors unix:{places.folder}/first" in message
    assert f"connectory jobs delete {execution}/n0/0 --connectors unix:{places.folder}/first" in message
    assert places.at("second").calls == ["list"]
    assert not places.at("first").jobs[f"{execution}/n0/0"].deleted


async def test_going_on_creates_no_second_job_and_ends_unconfirmed(places: Places) -> None:
    execution = await cut_off(places, "first", jobs(retries=3))
    async with places.runner("second", patience=HASTY) as runner:
        result = await runner.wait(execution)
        (message,) = left((await runner.show(execution)).nodes)
    assert result.phase is ExecutionPhase.FAILED
    assert "the job was asked of it, and the one at" in message
    assert places.at("second").jobs == {}


async def test_the_service_that_was_asked_is_found_among_those_that_are_named(places: Places) -> None:
    execution = await cut_off(places, "first")
    async with places.runner("second", "first") as runner:
        result, unconfirmed = await aborted(runner, execution)
    assert (result.phase, unconfirmed) == (ExecutionPhase.ABORTED, [])
    assert places.at("first").jobs[f"{execution}/n0/0"].deleted
    assert places.at("second").jobs == {}


@pytest.mark.parametrize("then", ["abort", "go on"])
async def test_a_ledger_is_the_same_wherever_it_is_reached(places: Places, then: str) -> None:
    execution = await cut_off(places, "first", jobs(rounds=2))
    places.systems["moved"] = places.at("first")
    async with places.runner("moved") as runner:
        result = await (runner.abort(execution) if then == "abort" else runner.wait(execution))
        assert left((await runner.show(execution)).nodes) == []
    assert result.phase is (ExecutionPhase.ABORTED if then == "abort" else ExecutionPhase.SUCCEEDED)
    assert len(places.at("first").jobs) == 1


async def test_a_service_that_tells_of_no_ledger_is_known_by_its_address(places: Places) -> None:
    places.at("first", ledger=None)
    places.at("second", ledger=None)
    execution = await cut_off(places, "first")
    async with places.runner("second") as runner:
        _, (message,) = await aborted(runner, execution)
    assert f"name --connectors unix:{places.folder}/first" in message


async def test_it_is_the_same_one_after_it_learned_to_tell(places: Places) -> None:
    system = places.at("first", ledger=None)
    execution = await cut_off(places, "first")
    system.ledger = "first"
    async with places.runner("first") as runner:
        _, unconfirmed = await aborted(runner, execution)
    assert unconfirmed == []
    assert system.jobs[f"{execution}/n0/0"].deleted


async def test_while_a_ledger_cannot_be_read_nobody_is_asked_for_a_job(places: Places) -> None:
    execution = await cut_off(places, "first", jobs(rounds=0))
    first = places.at("first")
    first.ledger, before = "", first.calls.count("create")
    async with places.runner("first") as runner:
        await runner.resume(execution)
        await said(runner, execution, "cannot read its ledger now")
        assert first.calls.count("create") == before
    first.ledger = "first"
    async with places.runner("first") as runner:
        assert (await runner.wait(execution)).phase is ExecutionPhase.SUCCEEDED
    assert len(first.jobs) == 1


async def test_without_the_category_the_attempt_waits_for_the_service_that_was_asked(places: Places) -> None:
    execution = await cut_off(places, "first", jobs(rounds=0))
    places.at("second").offers = ()
    async with places.runner("second") as runner:
        await runner.resume(execution)
        await said(runner, execution, "no connector service offers fake@0")
    async with places.runner("first") as runner:
        assert (await runner.wait(execution)).phase is ExecutionPhase.SUCCEEDED


async def test_one_record_tells_for_all_attempts_of_an_execution(places: Places) -> None:
    written: list[tuple[str, int]] = []
    async with places.runner("first") as runner:
        put = runner.store.put_plugin_state

        async def counted(execution: str, node: str, attempt: int, state: object) -> None:
            written.append((node, attempt))
            await put(execution, node, attempt, state)  # type: ignore[arg-type]

        runner.store.put_plugin_state = counted  # type: ignore[method-assign, assignment]
        execution = await runner.start(jobs(count=20, rounds=1))
        assert (await runner.wait(execution)).phase is ExecutionPhase.SUCCEEDED
    assert written[0] == OF_EXECUTION
    assert sorted(written[1:]) == sorted((f"n{number}", 0) for number in range(20))


async def test_attempts_of_one_execution_may_be_asked_of_different_services(places: Places) -> None:
    first, second = places.at("first"), places.at("second")
    job = task("t", inputs={"a": INTEGER}, outputs={"o": INTEGER}, custom={"rounds": 20})
    chain = [node("n0", job, {"a": constant(integer(1))}), node("n1", job, {"a": promise("n0", "o")})]
    async with places.runner("first") as runner:
        execution = await runner.start(closure(workflow("w", chain), [job]))
        await said(runner, execution, "round")
    second.jobs.update(first.jobs)  # both stand before one external system
    second.trouble["create"] = ["lost"] * 10_000
    async with places.runner("second") as runner:
        await runner.resume(execution)
        assert (await said(runner, execution, "asking again")).id == "n1"
        kept = await runner.store.plugin_states(execution)
    assert b"first" in kept[OF_EXECUTION].data
    assert b"second" in kept["n1", 0].data
    second.trouble.clear()
    async with places.runner("first") as runner:
        await runner.resume(execution)
        await said(runner, execution, f"name --connectors unix:{places.folder}/second")
    async with places.runner("first", "second") as runner:
        assert (await runner.wait(execution)).phase is ExecutionPhase.SUCCEEDED
    assert list(first.jobs) == [f"{execution}/n0/0"]
    assert list(second.jobs) == [f"{execution}/n0/0", f"{execution}/n1/0"]


async def test_what_an_older_release_has_begun_is_asked_of_whatever_is_there(places: Places) -> None:
    execution = await cut_off(places, "first", jobs(rounds=0))
    async with open_store(places.url) as store:
        await store.database.change("DELETE FROM plugin_states")
    async with places.runner("second") as runner:
        assert (await runner.wait(execution)).phase is ExecutionPhase.SUCCEEDED


async def begun(places: Places, name: str) -> str:
    """An execution whose job is known to run, and whose runner ended."""
    async with places.runner(name) as runner:
        execution = await runner.start(jobs())
        await said(runner, execution, "round")
    return execution


async def test_a_job_that_another_service_does_not_know_is_not_taken_for_gone(places: Places) -> None:
    execution = await begun(places, "first")
    unknown = [NotFoundError("no such job")] * 10_000
    places.at("second").trouble = {"get": [*unknown], "delete": [*unknown]}
    async with places.runner("second") as runner:
        await runner.resume(execution)
        await said(runner, execution, f"name --connectors unix:{places.folder}/first")
    async with places.runner("second", patience=HASTY) as runner:
        result = await runner.wait(execution)
        assert len(left((await runner.show(execution)).nodes)) == 1
    assert result.phase is ExecutionPhase.FAILED
    assert places.at("second").jobs == {}


async def test_a_deletion_by_another_service_that_does_not_know_the_job_is_not_confirmed(places: Places) -> None:
    execution = await begun(places, "first")
    unknown = [NotFoundError("no such job")] * 10_000
    places.at("second").trouble = {"get": [*unknown], "delete": [*unknown]}
    async with places.runner("second") as runner:
        result, (message,) = await aborted(runner, execution)
    assert result.phase is ExecutionPhase.ABORTED
    assert f"connectory jobs delete {execution}/n0/0" in message


async def test_a_service_that_knows_the_job_confirms_its_end_whatever_its_ledger(places: Places) -> None:
    execution = await begun(places, "first")
    places.at("second").jobs = places.at("first").jobs
    async with places.runner("second") as runner:
        assert await aborted(runner, execution) == (await runner.wait(execution), [])
    assert places.at("first").jobs[f"{execution}/n0/0"].deleted


async def test_a_recovery_knows_which_service_was_asked_and_a_relaunch_needs_not(places: Places) -> None:
    execution = await cut_off(places, "first", jobs(rounds=0))
    async with places.runner("second", patience=HASTY) as runner:
        again = await recover(runner, execution)
        assert (await runner.wait(again)).phase is ExecutionPhase.FAILED
        assert len(left((await runner.show(again)).nodes)) == 1
        assert places.at("second").jobs == {}
        anew = await relaunch(runner, execution)
        assert (await runner.wait(anew)).phase is ExecutionPhase.SUCCEEDED
    async with places.runner("first") as runner:
        third = await recover(runner, again)
        assert (await runner.wait(third)).phase is ExecutionPhase.SUCCEEDED
    assert list(places.at("first").jobs) == [f"{execution}/n0/0"]


async def test_a_job_that_is_being_ended_while_it_is_recovered_is_ended(places: Places) -> None:
    execution = await cut_off(places, "first", jobs(rounds=0))
    waits = dataclasses.replace(HASTY, elsewhere=0.2)
    async with places.runner("second", patience=waits) as runner:
        before, started = await runner.state(execution), await first_event(runner, execution)
        await runner.resume(execution)
        await said(runner, execution, "not gone yet")
        renamed = msgspec.structs.replace(started, execution="again", key_prefix="again")
        await runner.begin(recovering(before, renamed))
        assert (await runner.wait(execution)).phase is ExecutionPhase.ABORTED
        assert (await runner.wait("again")).phase is ExecutionPhase.FAILED
    assert places.at("second").jobs == {}


async def test_a_log_is_read_where_the_job_was_made(places: Places) -> None:
    execution = await begun(places, "first")
    async with places.runner("second", "first") as runner:
        clients = [ConnectorClient(f"unix:{places.folder}/{name}") for name in ("second", "first")]
        client, _ = await log_of(clients, await job_of(runner.store, execution, "n0"))
        assert client.target == f"unix:{places.folder}/first"
        for each in clients:
            await each.close()
        await aborted(runner, execution)
    assert places.at("first").jobs[f"{execution}/n0/0"].deleted


async def test_when_the_service_is_gone_for_good_a_person_may_have_the_node_run_anew(places: Places) -> None:
    execution = await cut_off(places, "first", jobs(rounds=0))
    async with places.runner("second") as runner:
        await aborted(runner, execution)
        again = await recover(runner, execution, rerun=["n0"])
        assert (await runner.wait(again)).phase is ExecutionPhase.SUCCEEDED
    assert list(places.at("second").jobs) == [f"{again}/n0/0"]
