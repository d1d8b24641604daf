"""Executions from start to end, with a fake plugin and a real store."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connectory.connector.contract import LogLink
from connectory.errors import InvalidTaskError, StoreError, TypeConversionError
from connectory.v1 import workflow_pb2
from tests.workflow_runner.fakes import CountingPlugin, FakePlugin
from tests.workflow_runner.workflows import (
    INTEGER,
    closure,
    constant,
    integer,
    literal_map,
    many,
    node,
    promise,
    string,
    task,
    workflow,
)
from workflow_runner.driver import Driver
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase, NodePhase
from workflow_runner.plugins.phases import PhaseInfo
from workflow_runner.runner import Runner
from workflow_runner.store.contract import ExecutionExistsError, UnknownExecutionError
from workflow_runner.store.opening import open_store
from workflow_runner.views import ExecutionUpdate, NodeUpdate

ADD = task("add", inputs={"a": INTEGER}, outputs={"o": INTEGER}, retries=1)
ONCE = task("once", inputs={"a": INTEGER}, outputs={"o": INTEGER})
FAILED = PhaseInfo.permanent_failure("BROKEN", "it broke")
AGAIN = PhaseInfo.retryable_failure("FLAKY", "it flickered")


def diamond(*, fail_at_once: bool = True, add=ADD) -> workflow_pb2.CompiledWorkflowClosure:
    return closure(
        workflow(
            "diamond",
            [
                node("top", add, {"a": promise("", "a")}),
                node("left", add, {"a": many(promise("top", "o"), constant(integer(1)))}),
                node("right", add, {"a": many(promise("top", "o"), constant(integer(2)))}),
                node("join", add, {"a": many(promise("left", "o"), promise("right", "o"))}),
            ],
            inputs={"a": INTEGER},
            outputs={"o": (INTEGER, promise("join", "o"))},
            fail_at_once=fail_at_once,
        ),
        [add],
    )


@asynccontextmanager
async def runner(plugin: FakePlugin, url: str = "memory://") -> AsyncIterator[Runner]:
    async with Runner(open_store(url), [plugin.entry()]) as opened:
        yield opened


async def phases(opened: Runner, execution: str) -> dict[str, NodePhase]:
    return {n.id: n.phase for n in (await opened.show(execution)).nodes}


async def test_a_diamond_runs_and_its_outputs_are_bound() -> None:
    plugin = FakePlugin()
    async with runner(plugin) as opened:
        execution = await opened.start(diamond(), literal_map(a=integer(5)))
        result = await opened.wait(execution)
        view = await opened.show(execution)
    assert result.phase is ExecutionPhase.SUCCEEDED
    assert result.outputs == literal_map(o=integer(13))
    assert [(n.id, n.phase, n.name, n.task_type) for n in view.nodes] == [
        (name, NodePhase.SUCCEEDED, "add", "fake") for name in ("top", "left", "right", "join")
    ]
    assert all(n.started and n.ended and n.started <= n.ended for n in view.nodes)
    assert view.started is not None
    assert view.ended is not None
    assert [call for call in plugin.calls if call[0] == "finalize"] == [
        ("finalize", name, 0) for name in ("top", *[c[1] for c in plugin.calls if c[0] == "finalize"][1:3], "join")
    ]


async def test_independent_nodes_run_at_the_same_time_within_the_limit() -> None:
    names = [f"n{i}" for i in range(6)]
    wide = closure(workflow("wide", [node(name, ADD, {"a": constant(integer(1))}) for name in names]), [ADD])
    for limit, most in ((0, 6), (2, 2)):
        plugin = FakePlugin({name: ["hold"] for name in names})
        async with runner(plugin) as opened:
            execution = await opened.start(wide, settings=ExecutionSettings(max_parallelism=limit))
            async for update in opened.subscribe(execution):
                holds = isinstance(update, NodeUpdate) and update.node.message.startswith("holding")
                if holds and len(plugin.live) == most:
                    for name in names:
                        plugin.release(name)
            assert (await opened.wait(execution)).phase is ExecutionPhase.SUCCEEDED
        assert plugin.most_live == most


async def test_what_a_round_remembers_is_read_in_the_next_one() -> None:
    plugin = FakePlugin()
    async with runner(plugin) as opened:
        execution = await opened.start(closure(workflow("w", [node("n", ADD, {"a": constant(integer(1))})]), [ADD]))
        await opened.wait(execution)
    assert plugin.rounds[f"{execution}/n/0"] == [0, 1]


async def test_a_flaky_attempt_is_repeated_under_another_key() -> None:
    plugin = FakePlugin({"top": [AGAIN]})
    async with runner(plugin) as opened:
        execution = await opened.start(diamond(), literal_map(a=integer(5)))
        assert (await opened.wait(execution)).outputs == literal_map(o=integer(13))
        top = (await opened.show(execution)).nodes[0]
    assert top.attempt == 1
    assert set(plugin.rounds) >= {f"{execution}/top/0", f"{execution}/top/1"}


@pytest.mark.parametrize(("script", "attempt"), [([FAILED], 0), ([AGAIN, AGAIN], 1)])
async def test_a_failure_without_retries_left_fails_the_execution(script: list[object], attempt: int) -> None:
    plugin = FakePlugin({"left": script, "right": ["hold"]})
    async with runner(plugin) as opened:
        execution = await opened.start(diamond(), literal_map(a=integer(5)))
        result = await opened.wait(execution)
        seen = await phases(opened, execution)
        left = (await opened.show(execution)).nodes[1]
    assert result.phase is ExecutionPhase.FAILED
    assert result.error is not None
    assert (result.error.node, result.error.code) == ("left", script[0].failure.code)  # type: ignore[attr-defined]
    assert left.attempt == attempt
    assert seen == {
        "top": NodePhase.SUCCEEDED,
        "left": NodePhase.FAILED,
        "right": NodePhase.ABORTED,
        "join": NodePhase.SKIPPED,
    }
    assert not plugin.live


async def test_the_patient_policy_lets_independent_nodes_finish() -> None:
    plugin = FakePlugin({"left": [FAILED], "right": ["hold"]})
    async with runner(plugin) as opened:
        execution = await opened.start(diamond(fail_at_once=False), literal_map(a=integer(5)))
        async for update in opened.subscribe(execution):
            if isinstance(update, ExecutionUpdate) and update.phase is ExecutionPhase.FAILING:
                plugin.release("right")
        result = await opened.wait(execution)
        seen = await phases(opened, execution)
    assert result.phase is ExecutionPhase.FAILED
    assert (seen["right"], seen["join"]) == (NodePhase.SUCCEEDED, NodePhase.SKIPPED)


async def test_abort_returns_once_everything_is_gone() -> None:
    plugin = FakePlugin({"left": ["hold"], "right": ["hold"]})
    plugin.abort_failures = 2
    async with runner(plugin) as opened:
        execution = await opened.start(diamond(), literal_map(a=integer(5)))
        await plugin.holding.wait()
        result = await opened.abort(execution, "no longer wanted")
        seen = await phases(opened, execution)
        again = await opened.abort(execution)
    assert result.phase is ExecutionPhase.ABORTED
    assert again == result
    assert result.error is not None
    assert result.error.message == "no longer wanted"
    assert not plugin.live
    assert (seen["left"], seen["right"], seen["join"]) == (NodePhase.ABORTED, NodePhase.ABORTED, NodePhase.SKIPPED)
    assert sum(call[0] == "abort" for call in plugin.calls) == 4


async def test_an_attempt_that_takes_too_long_is_ended_and_repeated() -> None:
    slow = task("slow", inputs={"a": INTEGER}, outputs={"o": INTEGER}, retries=1, timeout=0.05)
    plugin = FakePlugin({"n": ["hold", "hold"]})
    async with runner(plugin) as opened:
        execution = await opened.start(closure(workflow("w", [node("n", slow, {"a": constant(integer(1))})]), [slow]))
        result = await opened.wait(execution)
        seen = await phases(opened, execution)
    assert result.phase is ExecutionPhase.FAILED
    assert result.error is not None
    assert result.error.code == "TIMED_OUT"
    assert "0.05 s" in result.error.message
    assert seen["n"] is NodePhase.TIMED_OUT
    assert [call for call in plugin.calls if call[0] != "start"] == [
        ("abort", "n", 0),
        ("finalize", "n", 0),
        ("abort", "n", 1),
        ("finalize", "n", 1),
    ]


async def test_the_total_time_covers_all_attempts() -> None:
    slow = task("slow", inputs={"a": INTEGER}, retries=1000, deadline=0.1, base=0.001)
    plugin = FakePlugin({"n": [AGAIN] * 1000})
    async with runner(plugin) as opened:
        execution = await opened.start(closure(workflow("w", [node("n", slow, {"a": constant(integer(1))})]), [slow]))
        result = await opened.wait(execution)
        assert (await phases(opened, execution))["n"] is NodePhase.TIMED_OUT
    assert result.error is not None
    assert result.error.code == "TIMED_OUT"


async def test_sub_workflows_run_inside_their_node_and_void_tasks_keep_their_order() -> None:
    inner = workflow(
        "inner",
        [node("n0", ADD, {"a": promise("", "a")}), node("n1", ADD, {"a": constant(integer(0))}, after=["n0"])],
        inputs={"a": INTEGER},
        outputs={"o": (INTEGER, promise("n0", "o"))},
    )
    outer = workflow(
        "outer",
        [node("first", inner, {"a": constant(integer(3))}), node("second", inner, {"a": promise("first", "o")})],
        outputs={"o": (INTEGER, promise("second", "o"))},
    )
    plugin = FakePlugin()
    async with runner(plugin) as opened:
        execution = await opened.start(closure(outer, [ADD], [inner]))
        assert (await opened.wait(execution)).outputs == literal_map(o=integer(3))
    started = [call[1] for call in plugin.calls if call[0] == "start"]
    assert started == ["first.n0", "first.n1", "second.n0", "second.n1"]


async def test_a_paused_execution_is_resumed_where_it_stood(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    plugin = FakePlugin({"left": ["hold"], "right": [AGAIN, "hold"]})
    async with runner(plugin, url) as opened:
        execution = await opened.start(diamond(), literal_map(a=integer(5)))
        async for update in opened.subscribe(execution):
            if isinstance(update, NodeUpdate) and update.node.message == "holding right":
                break
        waiting = asyncio.create_task(opened.wait(execution))
        await asyncio.sleep(0)
    with pytest.raises(StoreError, match="is paused; resume it"):
        await waiting
    assert not any(call[0] == "abort" for call in plugin.calls)
    second = FakePlugin({"left": ["hold"], "right": [AGAIN, "hold"]})
    second.release("left")
    second.release("right")
    async with runner(second, url) as opened:
        listed = await opened.list()
        await opened.resume(execution)
        assert (await opened.wait(execution)).outputs == literal_map(o=integer(13))
        await opened.resume(execution)
    assert [(item.id, item.phase, item.workflow) for item in listed] == [(execution, ExecutionPhase.RUNNING, "diamond")]
    assert [call for call in second.calls if call[0] == "start"] == [("start", "join", 0)]
    async with runner(FakePlugin(), url) as opened:
        assert (await opened.wait(execution)).outputs == literal_map(o=integer(13))
        assert (await opened.list())[0].phase is ExecutionPhase.SUCCEEDED
        updates = [update async for update in opened.subscribe(execution)]
    assert updates[-1] == ExecutionUpdate(execution_id=execution, phase=ExecutionPhase.SUCCEEDED)


async def test_what_cannot_be_run_is_refused_and_not_kept() -> None:
    circle = closure(workflow("w", [node("a", ADD, after=["b"]), node("b", ADD, after=["a"])]), [ADD])
    unknown = closure(workflow("w", [node("a", ADD)]), [])
    gate = workflow_pb2.Node(id="g", gate_node=workflow_pb2.GateNode())
    async with runner(FakePlugin()) as opened:
        with pytest.raises(InvalidTaskError, match="circle: a, b"):
            await opened.start(circle)
        with pytest.raises(InvalidTaskError, match="'add', which is not included"):
            await opened.start(unknown)
        with pytest.raises(InvalidTaskError, match="gate node that waits for nothing"):
            await opened.start(closure(workflow("w", [gate]), []))
        assert await opened.list() == []


async def test_ids_are_unique_and_unknown_ones_are_named() -> None:
    async with runner(FakePlugin()) as opened:
        await opened.start(diamond(), literal_map(a=integer(5)), execution_id="mine")
        with pytest.raises(ExecutionExistsError, match="'mine'"):
            await opened.start(diamond(), literal_map(a=integer(5)), execution_id="mine")
        with pytest.raises(UnknownExecutionError, match="'other'"):
            await opened.wait("other")
        await opened.wait("mine")


async def test_inputs_that_do_not_fit_are_refused_by_name_and_nothing_is_kept() -> None:
    async with runner(FakePlugin()) as opened:
        for inputs in (None, literal_map(a=string("five")), literal_map(a=integer(1), b=integer(2))):
            with pytest.raises(TypeConversionError, match=r"\b[ab]\b"):
                await opened.start(diamond(), inputs)
        assert await opened.list() == []


async def test_a_promise_that_is_not_kept_is_told_by_name() -> None:
    nodes = [node("n", ONCE, {"a": constant(integer(1))}), node("m", ONCE, {"a": promise("n", "total")})]
    async with runner(FakePlugin()) as opened:
        execution = await opened.start(closure(workflow("w", nodes), [ONCE]))
        result = await opened.wait(execution)
    assert result.error is not None
    assert (result.error.code, result.error.node) == ("BINDING", "m")
    assert "the outputs of node 'n' hold no 'total'; there is: o" in result.error.message


async def test_unknown_task_types_and_plugins_that_break_fail_their_node() -> None:
    strange = task("strange", "strange")
    async with runner(FakePlugin()) as opened:
        execution = await opened.start(closure(workflow("w", [node("n", strange)]), [strange]))
        result = await opened.wait(execution)
    assert result.error is not None
    assert "no plugin carries out tasks of type 'strange'" in result.error.message


async def test_log_links_and_messages_reach_those_who_watch() -> None:
    link = LogLink(uri="http://logs/1", name="Logs")
    plugin = FakePlugin({"n": [PhaseInfo.success(message="all fine", log_links=[link])]})
    async with runner(plugin) as opened:
        execution = await opened.start(closure(workflow("w", [node("n", ONCE, {"a": constant(integer(1))})]), [ONCE]))
        await opened.wait(execution)
        (seen,) = (await opened.show(execution)).nodes
    assert seen.message == "all fine"
    assert [(item.uri, item.name) for item in seen.log_links] == [("http://logs/1", "Logs")]


async def test_messages_that_count_something_up_are_shown_and_not_all_written(tmp_path: Path) -> None:
    plugin = CountingPlugin(40)
    url = f"sqlite:///{tmp_path}/runs.db"
    async with runner(plugin, url) as opened:
        execution = await opened.start(closure(workflow("w", [node("n", ONCE, {"a": constant(integer(1))})]), [ONCE]))
        updates = [update async for update in opened.subscribe(execution)]
        await opened.wait(execution)
    messages = {update.node.message for update in updates if isinstance(update, NodeUpdate)}
    assert {f"{count} of 40" for count in range(40)} <= messages
    async with open_store(url) as store:
        assert len(await store.log(execution)) <= 3


async def test_an_execution_that_has_ended_takes_no_memory() -> None:
    async with runner(FakePlugin()) as opened:
        execution = await opened.start(diamond(), literal_map(a=integer(5)))
        before = await opened.wait(execution)
        gc.collect()
        assert not [
            found for found in gc.get_objects() if isinstance(found, Driver) and found.state.execution == execution
        ]
        assert await opened.wait(execution) == before
        assert len((await opened.show(execution)).nodes) == 4
