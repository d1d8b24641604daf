"""Attempts that one call carries out: when they are made ready, when they begin, and what rounds are left for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connectory.connector.contract import Phase
from connectory.errors import StoreError
from tests.workflow_runner.fakes import added
from tests.workflow_runner.workflows import (
    INTEGER,
    closure,
    constant,
    integer,
    literal_map,
    node,
    promise,
    signal,
    task,
    workflow,
)
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.contract import (
    Plugin,
    PluginEntry,
    PluginProperties,
    QuickRun,
    TaskExecutionContext,
)
from workflow_runner.plugins.phases import PhaseInfo, Transition, do_transition
from workflow_runner.runner import Runner
from workflow_runner.store.contract import ExecutionRecord, Store
from workflow_runner.store.opening import open_store
from workflow_runner.store.sqlite import SqliteStore
from workflow_runner.views import ExecutionUpdate

ADD = task("add", inputs={"a": INTEGER}, outputs={"o": INTEGER})
CHAIN = closure(
    workflow(
        "chain",
        [node("n0", ADD, {"a": constant(integer(4))}), node("n1", ADD, {"a": promise("n0", "o")})],
        outputs={"o": (INTEGER, promise("n1", "o"))},
    ),
    [ADD],
)


class Quick(Plugin):
    """Offers to carry its attempts out by one call, which ends at once unless it is `held`; notes what is asked."""

    def __init__(self, *, reads_references: bool = True, is_able: bool = True) -> None:
        self.calls: list[str] = []
        self.held = False
        self.fails = False
        self.is_able = is_able
        self.changed = asyncio.Event()
        self._properties = PluginProperties(reads_references=reads_references)

    @property
    def properties(self) -> PluginProperties:
        return self._properties

    def note(self, what: str, ctx: TaskExecutionContext) -> None:
        self.calls.append(f"{what} {ctx.node}")
        self.changed.set()

    def prepare(self, ctx: TaskExecutionContext) -> QuickRun | None:
        self.note("prepare", ctx)
        if not self.is_able:
            raise ValueError("not prepared for this")
        return Run(self, ctx)

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        self.note("handle", ctx)
        if self.fails:
            return do_transition(PhaseInfo.permanent_failure("TOO_BAD", "it went wrong"))
        return do_transition(PhaseInfo.success(added(ctx.inputs)))

    async def abort(self, ctx: TaskExecutionContext) -> None:
        self.note("abort", ctx)

    async def finalize(self, ctx: TaskExecutionContext) -> None:
        self.note("finalize", ctx)

    async def let_go(self, ctx: TaskExecutionContext) -> None:
        self.note("let_go", ctx)

    async def until(self, call: str) -> None:
        while call not in self.calls:
            self.changed.clear()
            await self.changed.wait()

    def entry(self) -> PluginEntry:
        return PluginEntry(id="quick", registered_task_types=("fake",), load_plugin=lambda setup: self)


class Run:
    def __init__(self, plugin: Quick, ctx: TaskExecutionContext) -> None:
        self.plugin = plugin
        self.ctx = ctx
        self.held = plugin.held

    def begin(self, ended: Callable[[], None]) -> None:
        self.plugin.note("begin", self.ctx)
        if not self.held:
            asyncio.get_running_loop().call_soon(ended)

    def outputs(self) -> bytes | None:
        self.plugin.note("outputs", self.ctx)
        return None if self.plugin.fails else added(self.ctx.inputs).SerializeToString()

    def forget(self) -> None:
        self.plugin.note("forget", self.ctx)

    def drop(self) -> None:
        self.plugin.note("drop", self.ctx)


@asynccontextmanager
async def having_loaded(plugin: Quick, store: Store | None = None) -> AsyncIterator[Runner]:
    """A runner that has used the plugin before; what it called then is forgotten."""
    async with Runner(store or open_store("memory://"), [plugin.entry()]) as runner:
        await runner.wait(await runner.start(CHAIN))
        plugin.calls.clear()
        yield runner


async def test_an_attempt_that_simply_succeeds_takes_no_rounds() -> None:
    plugin = Quick()
    async with Runner(open_store("memory://"), [plugin.entry()]) as runner:
        assert (await runner.wait(await runner.start(CHAIN))).outputs == literal_map(o=integer(4))
        assert plugin.calls[0] == "handle n0"  # it is loaded for this attempt, and could not be asked before
        plugin.calls.clear()
        await runner.wait(await runner.start(CHAIN))
    assert plugin.calls == [
        f"{what} {place}" for place in ("n0", "n1") for what in ("prepare", "begin", "outputs", "forget")
    ]


async def test_what_begins_shows_that_it_runs() -> None:
    plugin = Quick()
    async with having_loaded(plugin) as runner:
        plugin.held = True
        execution = await runner.start(CHAIN)
        await plugin.until("begin n0")
        assert (await runner.state(execution)).nodes["n0"].job_phase == Phase.RUNNING
        await runner.abort(execution)


class HoldsLong(Quick):
    """The attempt of `long` does not end."""

    def prepare(self, ctx: TaskExecutionContext) -> QuickRun | None:
        self.held = ctx.node == "long"
        return Run(self, ctx)


FORK = closure(
    workflow(
        "fork",
        [
            signal("gate", "number", INTEGER),
            node("short", ADD, {"a": promise("gate", "o")}),
            node("long", ADD, {"a": promise("gate", "o")}),
        ],
    ),
    [ADD],
)


async def test_who_watches_is_told_that_an_attempt_runs_also_when_another_ends_in_that_moment() -> None:
    plugin = HoldsLong()
    async with having_loaded(plugin) as runner:
        execution = await runner.start(FORK)
        async for update in runner.subscribe(execution):
            if isinstance(update, ExecutionUpdate):
                await runner.signal(execution, "number", integer(1))
            elif (update.node.id, update.node.job_phase) == ("long", Phase.RUNNING):
                break
        await runner.abort(execution)


@pytest.mark.parametrize("plugin", [Quick(reads_references=False), Quick(is_able=False)])
async def test_whoever_cannot_be_quick_makes_rounds(plugin: Quick) -> None:
    async with Runner(open_store("memory://"), [plugin.entry()]) as runner:
        for _ in range(2):
            assert (await runner.wait(await runner.start(CHAIN))).outputs == literal_map(o=integer(4))
    assert [call for call in plugin.calls if not call.startswith("prepare")] == [
        "handle n0",
        "finalize n0",
        "handle n1",
        "finalize n1",
    ] * 2


async def test_what_does_not_simply_succeed_is_told_by_a_round() -> None:
    plugin = Quick()
    async with having_loaded(plugin) as runner:
        plugin.fails = True
        result = await runner.wait(await runner.start(CHAIN))
    assert (result.phase, result.error and result.error.code) == (ExecutionPhase.FAILED, "TOO_BAD")
    assert plugin.calls == ["prepare n0", "begin n0", "outputs n0", "handle n0", "finalize n0"]


class Hindered(Quick):
    """Its runs cannot be begun."""

    def prepare(self, ctx: TaskExecutionContext) -> QuickRun:
        return CannotBegin(self, ctx)


class CannotBegin(Run):
    def begin(self, ended: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_soon(ended)
        raise OSError("too many open files")


async def test_what_could_not_be_begun_is_carried_out_by_rounds(caplog: pytest.LogCaptureFixture) -> None:
    plugin = Hindered()
    async with having_loaded(plugin) as runner:
        assert (await runner.wait(await runner.start(CHAIN))).outputs == literal_map(o=integer(4))
    assert plugin.calls == ["handle n0", "finalize n0", "handle n1", "finalize n1"]
    assert "too many open files" in caplog.text


async def test_an_attempt_that_is_to_end_is_aborted() -> None:
    plugin = Quick()
    async with having_loaded(plugin) as runner:
        plugin.held = True
        execution = await runner.start(CHAIN)
        await plugin.until("begin n0")
        assert (await runner.abort(execution)).phase is ExecutionPhase.ABORTED
    assert plugin.calls == ["prepare n0", "begin n0", "abort n0", "finalize n0"]


async def test_an_attempt_that_is_left_is_let_go_of() -> None:
    plugin = Quick()
    async with having_loaded(plugin) as runner:
        plugin.held = True
        await runner.start(CHAIN)
        await plugin.until("begin n0")
    assert plugin.calls == ["prepare n0", "begin n0", "let_go n0"]


class SlowStore(SqliteStore):
    """Does not write that n1 begins before it may, and fails to write it when it is to."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.may_go_on = asyncio.Event()
        self.slow = False
        self.error: Exception | None = None

    async def append(self, execution_id: str, number: int, log: object, update: ExecutionRecord | None = None) -> None:
        if self.slow:
            await self.may_go_on.wait()
        if self.error is not None:
            raise self.error
        await super().append(execution_id, number, log, update)  # type: ignore[arg-type]


async def test_what_is_ready_begins_once_it_is_written_down(tmp_path: Path) -> None:
    plugin, store = Quick(), SlowStore(tmp_path / "runs.db")
    async with having_loaded(plugin, store) as runner:
        store.slow = True
        execution = await runner.start(CHAIN)
        await plugin.until("prepare n1")
        assert plugin.calls[-2:] == ["forget n0", "prepare n1"]
        store.may_go_on.set()
        assert (await runner.wait(execution)).phase is ExecutionPhase.SUCCEEDED
        assert "begin n1" in plugin.calls


async def test_what_could_not_be_written_down_does_not_begin(tmp_path: Path) -> None:
    plugin, store = Quick(), SlowStore(tmp_path / "runs.db")
    async with having_loaded(plugin, store) as runner:
        store.slow, store.error = True, StoreError("the disk is full")
        execution = await runner.start(CHAIN)
        await plugin.until("prepare n1")
        store.may_go_on.set()
        with pytest.raises(StoreError, match="the disk is full"):
            await runner.wait(execution)
    assert plugin.calls[:6] == ["prepare n0", "begin n0", "outputs n0", "forget n0", "prepare n1", "drop n1"]
    assert "begin n1" not in plugin.calls


async def test_what_is_ready_when_the_runner_leaves_does_not_begin(tmp_path: Path) -> None:
    plugin, store = Quick(), SlowStore(tmp_path / "runs.db")
    async with having_loaded(plugin, store) as runner:
        store.slow = True
        await runner.start(CHAIN)
        await plugin.until("prepare n1")
        asyncio.get_running_loop().call_soon(store.may_go_on.set)
    assert plugin.calls[-1] == "drop n1"
    assert "begin n1" not in plugin.calls
