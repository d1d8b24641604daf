"""What happens to executions when their store fails under them."""

import resource
import sqlite3
from pathlib import Path

import msgspec
import pytest

from connectory.errors import StoreError
from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.site import Site, all_succeeded, every_job_once, line_of
from tests.workflow_runner.workflows import (
    INTEGER,
    closure,
    constant,
    integer,
    literal_map,
    node,
    promise,
    task,
    workflow,
)
from workflow_runner.engine.events import decode_event, encode_event
from workflow_runner.engine.rules import RULES
from workflow_runner.runner import Runner
from workflow_runner.store.contract import ExecutionRecord, LogConflictError, LogRecord, PluginState
from workflow_runner.store.sqlite import SqliteStore

ADD = task("add", inputs={"a": INTEGER}, outputs={"o": INTEGER})
CHAIN = closure(
    workflow(
        "chain",
        [
            node("n0", ADD, {"a": constant(integer(4))}),
            node("n1", ADD, {"a": promise("n0", "o")}),
            node("n2", ADD, {"a": promise("n1", "o")}),
        ],
        outputs={"o": (INTEGER, promise("n2", "o"))},
    ),
    [ADD],
)


class FailingStore(SqliteStore):
    """Fails its writes once `left` of them have succeeded."""

    def __init__(self, path: Path, left: int) -> None:
        super().__init__(path)
        self.left = left

    async def append(self, execution_id: str, number: int, log: object, update: ExecutionRecord | None = None) -> None:
        self._spend()
        await super().append(execution_id, number, log, update)  # type: ignore[arg-type]

    async def put_plugin_state(self, execution_id: str, node: str, attempt: int, state: PluginState) -> None:
        self._spend()
        await super().put_plugin_state(execution_id, node, attempt, state)

    def _spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise StoreError("the disk is full")


@pytest.mark.parametrize("left", range(6))
async def test_an_execution_pauses_and_loses_nothing(tmp_path: Path, left: int) -> None:
    async with Runner(FailingStore(tmp_path / "runs.db", left), [FakePlugin().entry()]) as runner:
        execution = await runner.start(CHAIN)
        with pytest.raises(StoreError, match="the disk is full"):
            await runner.wait(execution)
    async with Runner(SqliteStore(tmp_path / "runs.db"), [FakePlugin().entry()]) as runner:
        assert (await runner.wait(execution)).outputs == literal_map(o=integer(4))


class UnsureStore(SqliteStore):
    """Does not know whether the end of an execution has been written, which it has."""

    async def append(self, execution_id: str, number: int, log: object, update: ExecutionRecord | None = None) -> None:
        await super().append(execution_id, number, log, update)  # type: ignore[arg-type]
        if update is not None:
            raise StoreError("the connection was lost")


async def test_an_execution_whose_end_was_written_without_an_answer_has_ended(tmp_path: Path) -> None:
    async with Runner(UnsureStore(tmp_path / "runs.db"), [FakePlugin().entry()]) as runner:
        execution = await runner.start(CHAIN)
        with pytest.raises(StoreError, match="the connection was lost"):
            await runner.wait(execution)
        await runner.resume(execution)
        assert (await runner.wait(execution)).outputs == literal_map(o=integer(4))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/runs.db"


def test_a_disk_that_fills_up_holds_executions_up_until_there_is_room(site: Site) -> None:
    runner = site.runner("01234567", "01234567", owner="patient")
    site.until_created(4)
    nothing_more, before = 1, resource.prlimit(runner.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(runner.pid, resource.RLIMIT_FSIZE, (nothing_more, before[1]))
    assert "see that the disk works and has room" in line_of(runner)
    resource.prlimit(runner.pid, resource.RLIMIT_FSIZE, before)
    said, _ = runner.communicate(timeout=60)
    assert all_succeeded("01234567") <= set(said.splitlines())
    assert site.created() == every_job_once("01234567")


def test_a_store_that_somebody_holds_locked_holds_executions_up_until_it_is_free(site: Site, url: str) -> None:
    runner = site.runner("01234567", "01234567", owner="patient")
    site.until_created(4)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=60)
    other.execute("BEGIN IMMEDIATE")
    assert "another program holds it" in line_of(runner)
    other.execute("ROLLBACK")
    other.close()
    said, _ = runner.communicate(timeout=60)
    assert all_succeeded("01234567") <= set(said.splitlines())
    assert site.created() == every_job_once("01234567")


async def test_a_runner_whose_execution_was_taken_over_lets_go_of_it(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    plugin = FakePlugin({"n1": ["hold"]})
    async with Runner(SqliteStore(path), [plugin.entry()]) as slow:
        execution = await slow.start(CHAIN)
        await plugin.holding.wait()
        async with Runner(SqliteStore(path), [FakePlugin().entry()]) as quick:
            await quick.resume(execution, take_over=True)
            assert (await quick.wait(execution)).outputs == literal_map(o=integer(4))
        plugin.release("n1")
        with pytest.raises(LogConflictError, match="another runner"):
            await slow.wait(execution)


async def test_a_log_that_was_decided_differently_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    plugin = FakePlugin({"n1": ["hold"]})
    async with Runner(SqliteStore(path), [plugin.entry()]) as runner:
        execution = await runner.start(CHAIN)
        await plugin.holding.wait()
    async with SqliteStore(path) as store:
        log = await store.log(execution)
        altered = [LogRecord(event=record.event, commands=b"\x90") for record in log]
        await store.create(ExecutionRecord(id="altered", workflow="w", phase="RUNNING", started_at=0), altered)
    async with Runner(SqliteStore(path), [FakePlugin().entry()]) as runner:
        with pytest.raises(StoreError, match="decided differently when it was written"):
            await runner.resume("altered")
        await runner.abort(execution)


async def test_what_a_newer_runner_began_by_rules_of_its_own_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    async with Runner(SqliteStore(path), [FakePlugin().entry()]) as runner:
        await runner.wait(await runner.start(CHAIN, execution_id="known"))
    async with SqliteStore(path) as store:
        (begun, *_) = await store.log("known")
        newer = msgspec.structs.replace(decode_event(begun.event), rules=RULES + 1)
        log = [LogRecord(event=encode_event(newer), commands=begun.commands)]
        await store.create(ExecutionRecord(id="newer", workflow="w", phase="RUNNING", started_at=0), log)
    plugin = FakePlugin()
    async with Runner(SqliteStore(path), [plugin.entry()]) as runner:
        assert await runner.adopt() == []
        with pytest.raises(StoreError, match=f"rules {RULES + 1} of a newer runner.* up to {RULES}; leave it"):
            await runner.resume("newer")
        with pytest.raises(StoreError, match="leave it to the newer one, or upgrade this one"):
            await runner.show("newer")
    assert plugin.calls == []
    async with SqliteStore(path) as store:
        assert len(await store.log("newer")) == 1
        holder = await store.leases.take("newer")  # which nobody kept from whoever comes next
        assert holder is not None
        assert holder.owner == store.leases.owner


async def test_a_record_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    async with Runner(SqliteStore(path), [FakePlugin().entry()]) as runner:
        await runner.wait(await runner.start(CHAIN, execution_id="whole"))
        (begun, *_) = await runner.store.log("whole")
        strange = LogRecord(event=b"\x82\xa4type\xa6Dreamt\xa2at\x01", commands=b"\x90")
        record = ExecutionRecord(id="strange", workflow="w", phase="RUNNING", started_at=0)
        await runner.store.create(record, [begun, strange])
        with pytest.raises(StoreError, match=r"record 1 of execution 'strange' cannot be read.*Dreamt.*newer runner"):
            await runner.show("strange")
