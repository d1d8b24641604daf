"""New executions that take over what earlier ones have done, or do it all again."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connectory.errors import UserError
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
from workflow_runner.again import NewCode, compare, recover, relaunch
from workflow_runner.engine.state import ExecutionPhase, NodePhase
from workflow_runner.plugins.phases import PhaseInfo
from workflow_runner.runner import Runner
from workflow_runner.store.contract import ExecutionExistsError
from workflow_runner.store.leases import LeaseHeldError
from workflow_runner.store.opening import open_store

BROKEN = PhaseInfo.permanent_failure("BROKEN", "it broke")
ADD = task("add", inputs={"a": INTEGER}, outputs={"o": INTEGER})
OTHER = task("other", inputs={"a": INTEGER}, outputs={"o": INTEGER})


def chain(second: tasks_pb2.TaskTemplate = ADD, start: int = 5) -> workflow_pb2.CompiledWorkflowClosure:
    """first -> second -> third, and one aside."""
    nodes = [
        node("first", ADD, {"a": constant(integer(start))}),
        node("aside", ADD, {"a": constant(integer(1))}),
        node("second", second, {"a": promise("first", "o")}),
        node("third", ADD, {"a": many(promise("second", "o"), promise("aside", "o"))}),
    ]
    return closure(workflow("chain", nodes, outputs={"o": (INTEGER, promise("third", "o"))}), [ADD, OTHER])


def code(compiled: workflow_pb2.CompiledWorkflowClosure, **inputs: literals_pb2.Literal) -> NewCode:
    return NewCode(closure=compiled, launch_plans=(), inputs=literal_map(**inputs))


@asynccontextmanager
async def running(plugin: FakePlugin, url: str = "memory://") -> AsyncIterator[Runner]:
    async with Runner(open_store(url), [plugin.entry()]) as runner:
        yield runner


def started(plugin: FakePlugin) -> Sequence[str]:
    """Nodes that were begun since the last time this was asked."""
    found = sorted(name for verb, name, _ in plugin.calls if verb == "start")
    plugin.calls.clear()
    return found


async def failed(runner: Runner, plugin: FakePlugin, compiled: workflow_pb2.CompiledWorkflowClosure) -> str:
    execution = await runner.start(compiled)
    assert (await runner.wait(execution)).phase is ExecutionPhase.FAILED
    plugin.script = {}
    plugin.calls.clear()
    return execution


async def test_what_has_succeeded_is_not_done_again() -> None:
    plugin = FakePlugin({"third": [BROKEN]})
    async with running(plugin) as runner:
        execution = await failed(runner, plugin, chain())
        second = await recover(runner, execution)
        result = await runner.wait(second)
        assert result.outputs == literal_map(o=integer(6))
        assert started(plugin) == ["third"]
        view = await runner.show(second)
    assert {each.id: each.reused_from for each in view.nodes} == {
        "first": execution,
        "aside": execution,
        "second": execution,
        "third": "",
    }


async def test_it_goes_on_inside_workflows_and_repetitions() -> None:
    mapped = task("mapped", inputs={"a": types_list(INTEGER)}, outputs={"o": types_list(INTEGER)})
    inner = workflow(
        "inner",
        [node("x", ADD, {"a": promise("", "a")}), node("y", ADD, {"a": promise("x", "o")})],
        inputs={"a": INTEGER},
        outputs={"o": (INTEGER, promise("y", "o"))},
    )
    nodes = [
        node("sub", inner, {"a": constant(integer(4))}),
        array("items", mapped, {"a": many(*(constant(integer(i)) for i in range(3)))}),
    ]
    compiled = closure(workflow("outer", nodes, fail_at_once=False), [ADD, mapped], [inner])
    plugin = FakePlugin({"sub.y": [BROKEN], "items.1": [BROKEN]})
    async with running(plugin) as runner:
        execution = await failed(runner, plugin, compiled)
        assert (await runner.wait(await recover(runner, execution))).phase is ExecutionPhase.SUCCEEDED
    assert "sub.y" in started(plugin)
    assert not {"sub.x", "items.0"} & set(started(plugin))


async def test_a_recovered_execution_is_recovered_in_turn() -> None:
    plugin = FakePlugin({"second": [BROKEN]})
    async with running(plugin) as runner:
        execution = await failed(runner, plugin, chain())
        plugin.script = {"third": [BROKEN]}
        again = await recover(runner, execution)
        assert (await runner.wait(again)).phase is ExecutionPhase.FAILED
        plugin.script = {}
        plugin.calls.clear()
        last = await recover(runner, again, name="last")
        assert last == "last"
        assert (await runner.wait(last)).phase is ExecutionPhase.SUCCEEDED
    assert started(plugin) == ["third"]


async def test_new_code_runs_with_all_that_depends_on_it() -> None:
    plugin = FakePlugin()
    async with running(plugin) as runner:
        execution = await runner.start(chain())
        await runner.wait(execution)
        plugin.calls.clear()
        new = code(chain(second=OTHER))
        shown = {each.id: each.change for each in await compare(runner, execution, code=new)}
        assert shown == {"first": "reused", "aside": "reused", "second": "changed", "third": "after others"}
        result = await runner.wait(await recover(runner, execution, code=new))
        assert result.outputs == literal_map(o=integer(6))
    assert started(plugin) == ["second", "third"]


async def test_inputs_that_do_not_fit_new_code_are_told_before_anything_is_done() -> None:
    plugin = FakePlugin({"second": ["hold"]})
    wanting = chain(second=OTHER)
    wanting.primary.template.interface.inputs.variables["size"].type.CopyFrom(INTEGER)
    async with running(plugin) as runner:
        execution = await runner.start(chain())
        await plugin.holding.wait()
        with pytest.raises(UserError, match=f"cannot go on with the inputs of {execution}: .*size.* start it anew"):
            await recover(runner, execution, code=code(wanting))
        assert (await runner.show(execution)).phase is ExecutionPhase.RUNNING
        plugin.script = {}
        again = await recover(runner, execution, code=code(wanting, size=integer(1)))
        assert (await runner.wait(again)).phase is ExecutionPhase.SUCCEEDED


async def test_new_versions_of_the_same_change_nothing() -> None:
    plugin = FakePlugin({"third": [BROKEN]})
    newer = chain()
    for each in newer.tasks:
        each.template.id.version = "2"
    newer.primary.template.id.version = "2"
    for each in newer.primary.template.nodes:
        each.task_node.reference_id.version = "2"
    async with running(plugin) as runner:
        execution = await failed(runner, plugin, chain())
        assert (await runner.wait(await recover(runner, execution, code=code(newer)))).phase is ExecutionPhase.SUCCEEDED
    assert started(plugin) == ["third"]


async def test_nodes_that_are_named_run_again_with_what_depends_on_them() -> None:
    plugin = FakePlugin()
    async with running(plugin) as runner:
        execution = await runner.start(chain())
        await runner.wait(execution)
        plugin.calls.clear()
        await runner.wait(await recover(runner, execution, rerun=["first"]))
    assert started(plugin) == ["first", "second", "third"]


async def test_relaunching_does_everything_again_under_new_keys() -> None:
    plugin = FakePlugin()
    async with running(plugin) as runner:
        execution = await runner.start(chain())
        await runner.wait(execution)
        keys = set(plugin.rounds)
        again = await relaunch(runner, execution)
        assert again != execution
        assert (await runner.wait(again)).phase is ExecutionPhase.SUCCEEDED
    assert len(plugin.rounds) == 2 * len(keys)


@pytest.mark.parametrize("restarted", [False, True])
async def test_jobs_that_still_run_go_on_in_the_new_execution(restarted: bool, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    plugin = FakePlugin({"second": ["hold"], "aside": ["hold"]})
    async with running(plugin, url) as runner:
        execution = await runner.start(chain())
        while sorted(key.split("/")[1] for key in plugin.live) != ["aside", "second"]:
            await plugin.holding.wait()
            plugin.holding.clear()
        if not restarted:
            await goes_on(runner, plugin, execution)
    if restarted:
        async with running(plugin, url) as runner:
            await goes_on(runner, plugin, execution)


async def goes_on(runner: Runner, plugin: FakePlugin, execution: str) -> None:
    """The job of "second" is gone on with; that of "aside" belongs to a node that is to be run again."""
    plugin.calls.clear()
    again = await recover(runner, execution, rerun=["aside"])
    assert (await runner.wait(execution)).phase is ExecutionPhase.ABORTED
    assert ("abort", "aside", 0) in plugin.calls
    assert ("abort", "second", 0) not in plugin.calls
    (job,) = (key for key in plugin.live if "/second/" in key)
    assert job.startswith(execution)
    plugin.release("second")
    plugin.release("aside")
    result = await runner.wait(again)
    assert result.outputs == literal_map(o=integer(6))
    assert [name for verb, name, _ in plugin.calls if verb == "start"] == ["aside", "third"]
    handed = next(each for each in (await runner.show(execution)).nodes if each.id == "second")
    assert handed.phase is NodePhase.ABORTED
    assert handed.error is not None
    assert handed.error.code == "HANDED_OVER"


async def test_what_another_runner_works_on_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    plugin = FakePlugin({"second": ["hold"]})
    async with running(plugin, url) as runner, running(FakePlugin(), url) as other:
        execution = await runner.start(chain())
        await plugin.holding.wait()
        with pytest.raises(LeaseHeldError):
            await recover(other, execution, name="again")
        assert [each.id for each in await other.list()] == [execution]
        plugin.release("second")
        assert (await runner.wait(execution)).phase is ExecutionPhase.SUCCEEDED


async def test_a_name_that_is_taken_changes_nothing() -> None:
    plugin = FakePlugin()
    async with running(plugin) as runner:
        other = await runner.start(chain(), execution_id="taken")
        await runner.wait(other)
        plugin.script = {"second": ["hold"]}
        execution = await runner.start(chain())
        await plugin.holding.wait()
        with pytest.raises(ExecutionExistsError):
            await recover(runner, execution, name=other)
        plugin.release("second")
        assert (await runner.wait(execution)).phase is ExecutionPhase.SUCCEEDED


@pytest.mark.parametrize("asked_for", ["new", "old", ""])
async def test_after_a_kill_in_the_middle_of_recovering_one_of_the_two_goes_on(tmp_path: Path, asked_for: str) -> None:
    path = tmp_path / "runs.db"
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.workflow_runner.crash_recover", str(path), cwd=Path(__file__).parents[2]
    )
    assert await killed.wait() == -signal.SIGKILL
    plugin = FakePlugin({"second": ["hold"], "aside": ["hold"]})
    async with Runner(open_store(f"sqlite:///{path}"), [plugin.entry()], adopt=not asked_for) as runner:
        if asked_for:
            await runner.resume(asked_for)
        if asked_for == "old":
            await runner.resume("new")
        assert (await runner.wait("old")).phase is ExecutionPhase.ABORTED
        (job,) = (key for key in plugin.live if "/second/" in key)
        assert job.startswith("old")
        plugin.release("second")
        plugin.release("aside")
        assert (await runner.wait("new")).outputs == literal_map(o=integer(6))
        assert [name for verb, name, _ in plugin.calls if verb == "start"] == ["aside", "third"]
        assert ("abort", "second", 0) not in plugin.calls
        handed = next(each for each in (await runner.show("old")).nodes if each.id == "second")
        assert handed.error is not None
        assert handed.error.code == "HANDED_OVER"
