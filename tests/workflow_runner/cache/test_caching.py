"""What is taken from the cache, what is worked out, and who waits for whom."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from connectory.v1 import literals_pb2, tasks_pb2, workflow_pb2
from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.workflows import (
    INTEGER,
    array,
    closure,
    constant,
    integer,
    literal_map,
    many,
    node,
    promise,
    task,
    types_list,
    workflow,
)
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase, NodePhase
from workflow_runner.plugins.contract import PluginProperties
from workflow_runner.plugins.phases import PhaseInfo
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

BROKEN = PhaseInfo.permanent_failure("BROKEN", "it broke")


def cached(*, version: str = "1", ignored: tuple[str, ...] = (), alone: bool = False) -> tasks_pb2.TaskTemplate:
    template = task("t", inputs={"a": INTEGER, "b": INTEGER}, outputs={"o": INTEGER})
    template.metadata.discoverable, template.metadata.discovery_version = True, version
    template.metadata.cache_ignore_input_vars.extend(ignored)
    template.metadata.cache_serializable = alone
    return template


def one(template: tasks_pb2.TaskTemplate, a: int = 1, b: int = 2) -> workflow_pb2.CompiledWorkflowClosure:
    nodes = [node("n", template, {"a": constant(integer(a)), "b": constant(integer(b))})]
    return closure(workflow("w", nodes, outputs={"o": (INTEGER, promise("n", "o"))}), [template])


async def outcome(opened: Runner, compiled: workflow_pb2.CompiledWorkflowClosure, **settings: bool) -> str:
    """Where the result came from: "" when it was worked out."""
    execution = await opened.start(compiled, settings=ExecutionSettings(**settings))
    result = await opened.wait(execution)
    assert result.phase is ExecutionPhase.SUCCEEDED
    assert result.outputs == literal_map(o=integer(3))
    (seen,) = (await opened.show(execution)).nodes
    assert seen.cache_key
    return seen.cached_from


def starts(plugin: FakePlugin) -> int:
    return sum(call[0] == "start" for call in plugin.calls)


async def test_the_same_work_is_done_once() -> None:
    plugin = FakePlugin()
    async with Runner(open_store("memory://"), [plugin.entry()]) as opened:
        first = await opened.start(one(cached()))
        await opened.wait(first)
        assert await outcome(opened, one(cached())) == f"{first}/n/0"
        assert starts(plugin) == 1
        assert not await outcome(opened, one(cached(version="2")))
        assert not await outcome(opened, one(cached(), a=0, b=3))
        assert starts(plugin) == 3
        assert not await outcome(opened, one(cached()), overwrite_cache=True)
        assert starts(plugin) == 4


async def test_ignored_inputs_make_no_difference_and_nodes_may_decide_otherwise() -> None:
    plugin = FakePlugin()
    async with Runner(open_store("memory://"), [plugin.entry()]) as opened:
        template = cached(ignored=("b",))
        await outcome(opened, one(template))
        assert await outcome(opened, one(template, b=5))
        other = one(template)
        other.primary.template.nodes[0].metadata.cache_version = "3"
        assert not await outcome(opened, other)
        other.primary.template.nodes[0].metadata.cacheable = False
        execution = await opened.start(other)
        await opened.wait(execution)
        assert (await opened.show(execution)).nodes[0].cache_key == ""


async def test_a_value_is_known_by_its_hash() -> None:
    template = task("t", inputs={"a": INTEGER}, outputs={"o": INTEGER})
    template.metadata.discoverable, template.metadata.discovery_version = True, "1"
    compiled = closure(workflow("w", [node("n", template, {"a": promise("", "a")})], inputs={"a": INTEGER}), [template])
    plugin = FakePlugin()
    async with Runner(open_store("memory://"), [plugin.entry()]) as opened:
        for value, known_by in ((1, "x"), (2, "x"), (3, "y")):
            literal = integer(value)
            literal.hash = known_by
            await opened.wait(await opened.start(compiled, literal_map(a=literal)))
    assert starts(plugin) == 2


async def test_a_plugin_may_refuse_to_have_results_reused() -> None:
    class Fresh(FakePlugin):
        @property
        def properties(self) -> PluginProperties:
            return PluginProperties(disable_node_level_caching=True)

    plugin = Fresh()
    async with Runner(open_store("memory://"), [plugin.entry()]) as opened:
        assert not await outcome(opened, one(cached()))
        assert not await outcome(opened, one(cached()))


async def test_results_grow_too_old() -> None:
    now = 1000.0
    template = cached()
    template.metadata.cache_max_age.FromTimedelta(timedelta(seconds=60))
    async with Runner(open_store("memory://"), [FakePlugin().entry()], clock=lambda: now) as opened:
        await outcome(opened, one(template))
        now += 59
        assert await outcome(opened, one(template))
        now += 2
        assert not await outcome(opened, one(template))


async def test_failures_are_not_kept() -> None:
    plugin = FakePlugin({"n": [BROKEN]})
    async with Runner(open_store("memory://"), [plugin.entry()]) as opened:
        assert (await opened.wait(await opened.start(one(cached())))).phase is ExecutionPhase.FAILED
        plugin.script.clear()
        assert not await outcome(opened, one(cached()))


@pytest.mark.parametrize("alone", [False, True])
async def test_outputs_that_a_task_ignored_are_not_kept(alone: bool) -> None:
    nothing = PhaseInfo.success(literals_pb2.LiteralMap())
    compiled = closure(
        workflow("w", [node("n", cached(alone=alone), {"a": constant(integer(1)), "b": constant(integer(2))})]),
        [cached(alone=alone)],
    )
    plugin = FakePlugin({"n": [nothing]})
    async with Runner(open_store("memory://"), [plugin.entry()]) as opened:
        for expected in (0, 1, 1):
            execution = await opened.start(compiled)
            assert (await opened.wait(execution)).phase is ExecutionPhase.SUCCEEDED
            outputs = (await opened.state(execution)).nodes["n"].outputs
            assert outputs is not None
            assert len(outputs.literals) == expected
            plugin.script.clear()
    assert starts(plugin) == 2


@pytest.mark.parametrize("breaks", [False, True])
async def test_one_works_it_out_while_the_others_wait(breaks: bool) -> None:
    plugin = FakePlugin({"n": ["hold"]})
    async with Runner(open_store("memory://"), [plugin.entry()]) as opened:
        compiled = one(cached(alone=True))
        executions = [await opened.start(compiled) for _ in range(4)]
        await plugin.holding.wait()
        assert starts(plugin) == 1
        shown = [(await opened.show(execution)).nodes[0].phase for execution in executions]
        assert NodePhase.LOOKING in shown
        if breaks:
            (working,) = [key.split("/")[0] for key in plugin.live]
            await opened.abort(working)
            executions.remove(working)
        plugin.release("n")
        results = await asyncio.gather(*(opened.wait(execution) for execution in executions))
        assert {result.phase for result in results} == {ExecutionPhase.SUCCEEDED}
    assert starts(plugin) == 1 + breaks


async def test_each_repetition_of_an_array_is_cached_by_itself() -> None:
    listed = types_list(INTEGER)
    template = task("mapped", inputs={"a": listed}, outputs={"o": listed})
    template.metadata.discoverable, template.metadata.discovery_version = True, "1"

    def mapped(*values: int) -> workflow_pb2.CompiledWorkflowClosure:
        members = many(*(constant(integer(value)) for value in values))
        return closure(workflow("w", [array("m", template, {"a": members}, parallelism=1)]), [template])

    plugin = FakePlugin()
    async with Runner(open_store("memory://"), [plugin.entry()]) as opened:
        await opened.wait(await opened.start(mapped(1, 2, 1)))
        assert starts(plugin) == 2
        await opened.wait(await opened.start(mapped(2, 3)))
        assert starts(plugin) == 3


async def test_who_works_it_out_and_who_waits_is_the_same_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    plugin = FakePlugin({"n": ["hold"]})
    async with Runner(open_store(url), [plugin.entry()]) as opened:
        executions = [await opened.start(one(cached(alone=True))) for _ in range(3)]
        await plugin.holding.wait()
    again = FakePlugin({"n": ["hold"]})
    again.release("n")
    async with Runner(open_store(url), [again.entry()]) as opened:
        results = await asyncio.gather(*(opened.wait(execution) for execution in executions))
        taken = [(await opened.show(execution)).nodes[0].cached_from for execution in executions]
    assert {result.phase for result in results} == {ExecutionPhase.SUCCEEDED}
    assert sorted(map(bool, taken)) == [False, True, True]
    assert starts(again) == 0, "the attempt that was under way goes on"
