"""Quotas of resources, and the attempts that share them."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from connectory.errors import RegistryError
from connectory.v1 import workflow_pb2
from tests.workflow_runner.workflows import closure, node, task, workflow
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.contract import Plugin, PluginEntry, SetupContext, TaskExecutionContext
from workflow_runner.plugins.phases import PhaseInfo, Transition, do_transition
from workflow_runner.plugins.resources import AllocationStatus, ResourceConstraints
from workflow_runner.quotas import Quotas, Scope
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

CALLS = "limited:calls"
GRANTED, EXHAUSTED = AllocationStatus.GRANTED, AllocationStatus.EXHAUSTED
BEYOND = AllocationStatus.NAMESPACE_QUOTA_EXCEEDED
NONE = ResourceConstraints()


class Limited(Plugin):
    """Needs a token while it works, which takes a round of its own."""

    def __init__(self, constraints: ResourceConstraints = NONE) -> None:
        self.constraints = constraints
        self.working: dict[str, str] = {}
        self.most = 0
        self.most_of_project: Counter[str] = Counter()
        self.waited = 0
        self.full = asyncio.Event()
        self.held: set[str] = set()
        self.let_go: Callable[[], None] = lambda: None

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        if ctx.key in self.working and ctx.key not in self.held:
            del self.working[ctx.key]
            await ctx.resource_manager.release_resource(CALLS)
            return do_transition(PhaseInfo.success())
        status = await ctx.resource_manager.allocate_resource(CALLS, constraints=self.constraints)
        if status is not GRANTED:
            self.waited += 1
            return do_transition(PhaseInfo.waiting_for_resources(status), again_in=60)
        project = ctx.execution_metadata.task_execution_id.node_execution_id.execution_id.project
        self.working[ctx.key] = project
        self.most = max(self.most, len(self.working))
        self.most_of_project[project] = max(
            self.most_of_project[project], sum(other == project for other in self.working.values())
        )
        if ctx.key in self.held:
            self.let_go = ctx.wake
            self.full.set()
        return do_transition(PhaseInfo.running(), again_in=60 if ctx.key in self.held else 0)


def entry(plugin: Limited, quota: int = 10) -> PluginEntry:
    def load(setup: SetupContext) -> Plugin:
        setup.resource_registrar.register_resource_quota(CALLS, quota)
        return plugin

    return PluginEntry(id="limited", registered_task_types=("fake",), load_plugin=load)


def many(count: int) -> workflow_pb2.CompiledWorkflowClosure:
    template = task("t")
    return closure(workflow("w", [node(f"n{index}", template) for index in range(count)]), [template])


async def test_a_thousand_tasks_share_ten_tokens_and_all_finish() -> None:
    plugin = Limited()
    setup = SetupContext()
    async with Runner(open_store("memory://"), [entry(plugin)], setup=setup) as runner:
        result = await runner.wait(await runner.start(many(1000)))
    assert result.phase is ExecutionPhase.SUCCEEDED, result.error
    assert plugin.most == 10
    assert plugin.waited >= 990
    assert (setup.quotas.held(CALLS), setup.quotas.waiting(CALLS)) == (0, 0)


async def test_no_project_has_more_than_its_share_while_others_go_on() -> None:
    plugin = Limited(ResourceConstraints(project=2))
    async with Runner(open_store("memory://"), [entry(plugin, quota=5)]) as runner:
        started = [await runner.start(many(20), project=project) for project in ("a", "b", "c")]
        results = [await runner.wait(execution) for execution in started]
    assert {result.phase for result in results} == {ExecutionPhase.SUCCEEDED}
    assert set(plugin.most_of_project) == {"a", "b", "c"}
    assert max(plugin.most_of_project.values()) == 2
    assert 2 < plugin.most <= 5


async def test_tokens_of_an_attempt_that_ends_early_are_free_again() -> None:
    plugin = Limited()
    setup = SetupContext()
    async with Runner(open_store("memory://"), [entry(plugin, quota=1)], setup=setup) as runner:
        execution = await runner.start(many(3), execution_id="held")
        plugin.held = {f"{key}" for key in await _keys(runner, execution)}
        await plugin.full.wait()
        assert setup.quotas.held(CALLS) == 1
        await runner.abort(execution)
        assert (setup.quotas.held(CALLS), setup.quotas.waiting(CALLS)) == (0, 0)
        plugin.held = set()
        assert (await runner.wait(await runner.start(many(3)))).phase is ExecutionPhase.SUCCEEDED


async def _keys(runner: Runner, execution: str) -> list[str]:
    state = runner._drivers[execution].state
    return [f"{state.key_prefix}/n{index}/0" for index in range(3)]


async def test_tokens_survive_a_restart(tmp_path: Path) -> None:
    """What runs outside goes on without the runner, so its token still counts when the runner is back."""
    url = f"sqlite:///{tmp_path}/runs.db"
    first = Limited()
    async with Runner(open_store(url), [entry(first, quota=1)]) as runner:
        execution = await runner.start(many(1), execution_id="held")
        first.held = {f"{runner._drivers[execution].state.key_prefix}/n0/0"}
        await first.full.wait()
    second, setup = Limited(), SetupContext()
    second.held = first.held
    async with Runner(open_store(url), [entry(second, quota=1)], setup=setup) as runner:
        await runner.resume(execution)
        assert setup.quotas.held(CALLS) == 1  # before any round has asked for it
        other = await runner.start(many(1))
        await second.full.wait()
        assert list(second.working) == list(first.held)
        second.held = set()
        second.let_go()
        assert (await runner.wait(execution)).phase is ExecutionPhase.SUCCEEDED
        assert (await runner.wait(other)).phase is ExecutionPhase.SUCCEEDED
    assert second.most == 1


async def test_a_resource_that_nobody_registered_is_a_defect_that_says_so() -> None:
    unregistered = PluginEntry(id="limited", registered_task_types=("fake",), load_plugin=lambda setup: Limited())
    async with Runner(open_store("memory://"), [unregistered]) as runner:
        result = await runner.wait(await runner.start(many(1)))
    assert result.error is not None
    assert "nobody registered a quota for resource 'limited:calls'; there are quotas for: none" in result.error.message


class Line:
    """Tokens asked for by hand."""

    def __init__(self, quota: int) -> None:
        self.quotas = Quotas()
        self.quotas.register_resource_quota("r", quota)
        self.woken: list[str] = []

    def ask(self, token: str, project: str = "p", limits: ResourceConstraints = NONE) -> AllocationStatus:
        wake: Callable[[], None] = lambda: self.woken.append(token)  # noqa: E731
        return self.quotas.ask("r", token, Scope(project, "d"), limits, wake)


def test_a_free_token_is_kept_for_who_waits_longest() -> None:
    line = Line(1)
    assert [line.ask(token) for token in "abc"] == [GRANTED, EXHAUSTED, EXHAUSTED]
    line.quotas.release("r", "a")
    assert line.woken == ["b"]
    assert line.ask("d") is EXHAUSTED
    assert line.ask("b") is GRANTED
    assert line.ask("b") is GRANTED
    line.quotas.release("r", "b")
    line.quotas.release("r", "b")
    assert line.woken == ["b", "c"]


def test_who_gives_up_passes_its_token_on() -> None:
    line = Line(1)
    assert [line.ask(token) for token in "abc"] == [GRANTED, EXHAUSTED, EXHAUSTED]
    line.quotas.release("r", "a")
    line.quotas.release("r", "b")
    assert line.woken == ["b", "c"]
    assert line.ask("c") is GRANTED


def test_who_is_held_back_by_its_own_constraint_holds_nobody_else_up() -> None:
    line = Line(3)
    two = ResourceConstraints(namespace=2)
    assert [line.ask(token, "p", two) for token in "abc"] == [GRANTED, GRANTED, BEYOND]
    assert line.ask("x", "other", two) is GRANTED
    assert line.ask("y", "other", two) is EXHAUSTED
    line.quotas.release("r", "x")
    assert line.woken == ["y"]
    line.quotas.release("r", "a")
    assert line.woken == ["y", "c"]


def test_tokens_from_before_a_restart_count_even_beyond_the_quota() -> None:
    quotas = Quotas()
    for token in "abc":
        quotas.restore("r", token, Scope("p", "d"))
    quotas.register_resource_quota("r", 2)
    assert quotas.held("r") == 3
    wake = asyncio.Event().set
    assert quotas.ask("r", "d", Scope("p", "d"), NONE, wake) is EXHAUSTED
    quotas.release("r", "a")
    assert quotas.ask("r", "d", Scope("p", "d"), NONE, wake) is EXHAUSTED
    quotas.release("r", "b")
    assert quotas.ask("r", "d", Scope("p", "d"), NONE, wake) is GRANTED


@pytest.mark.parametrize("quota", [0, -1])
def test_a_quota_is_at_least_one(quota: int) -> None:
    with pytest.raises(RegistryError, match="it must be at least 1"):
        Quotas().register_resource_quota("r", quota)
