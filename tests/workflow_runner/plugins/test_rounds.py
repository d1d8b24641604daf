"""How the runner calls a plugin: in which order, how often, and after which ends."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from connectory.connector.contract import LogLink
from connectory.v1 import workflow_pb2
from tests.workflow_runner.workflows import closure, node, task, workflow
from workflow_runner.engine.settings import Backoff, ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.contract import Plugin, PluginEntry, SetupContext, TaskExecutionContext
from workflow_runner.plugins.phases import PhaseInfo, do_transition
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store
from workflow_runner.views import ExecutionResult

GOING_ON = PhaseInfo.running("on and on")
SETTINGS = ExecutionSettings(backoff=Backoff(base=0.001), system_retries=0)


class Recorder(Plugin):
    """Notes every call; its rounds report one phase after the other, and then the last one again."""

    def __init__(self, infos: Sequence[object]) -> None:
        self.calls: list[str] = []
        self.infos = list(infos)
        self.unwilling = 0
        self.called = asyncio.Event()

    async def handle(self, ctx: TaskExecutionContext) -> object:  # type: ignore[override]
        self.calls.append("handle")
        self.called.set()
        info = self.infos.pop(0) if len(self.infos) > 1 else self.infos[0]
        return do_transition(info, again_in=0) if isinstance(info, PhaseInfo) else info

    async def abort(self, ctx: TaskExecutionContext) -> None:
        self.calls.append("abort")
        self._refuse()

    async def finalize(self, ctx: TaskExecutionContext) -> None:
        self.calls.append("finalize")
        self._refuse()

    def _refuse(self) -> None:
        if self.unwilling:
            self.unwilling -= 1
            raise ConnectionError("not now")


def entry(plugin: Recorder) -> PluginEntry:
    def load(setup: SetupContext) -> Plugin:
        plugin.calls.append("load")
        return plugin

    return PluginEntry(id="recorder", registered_task_types=("fake",), load_plugin=load)


def one(retries: int = 0) -> workflow_pb2.CompiledWorkflowClosure:
    template = task("t", retries=retries)
    return closure(workflow("w", [node("n", template)]), [template])


async def run(plugin: Recorder, retries: int = 0) -> ExecutionResult:
    async with Runner(open_store("memory://"), [entry(plugin)]) as runner:
        assert plugin.calls == []
        return await runner.wait(await runner.start(one(retries), settings=SETTINGS))


async def abort(plugin: Recorder) -> ExecutionResult:
    async with Runner(open_store("memory://"), [entry(plugin)]) as runner:
        execution = await runner.start(one(), settings=SETTINGS)
        await plugin.called.wait()
        return await runner.abort(execution)


async def test_a_success_is_finalized() -> None:
    plugin = Recorder([PhaseInfo.queued(), GOING_ON, PhaseInfo.success()])
    assert (await run(plugin)).phase is ExecutionPhase.SUCCEEDED
    assert plugin.calls == ["load", "handle", "handle", "handle", "finalize"]


async def test_words_that_are_no_text_stop_nothing() -> None:
    words, link = "caf\udce9", LogLink(uri="http://logs/\udce9", name="\udce9")
    plugin = Recorder([PhaseInfo.running(words, [link]), PhaseInfo.success(message=words, log_links=[link])])
    async with Runner(open_store("memory://"), [entry(plugin)]) as runner:
        execution = await runner.start(one(), settings=SETTINGS)
        assert (await runner.wait(execution)).phase is ExecutionPhase.SUCCEEDED
        (node,) = (await runner.show(execution)).nodes
    assert [(link.uri, link.name) for link in node.log_links] == [("http://logs/?", "?")]


async def test_a_failure_is_finalized() -> None:
    plugin = Recorder([GOING_ON, PhaseInfo.permanent_failure("C", "m")])
    assert (await run(plugin, retries=3)).phase is ExecutionPhase.FAILED
    assert plugin.calls == ["load", "handle", "handle", "finalize"]


async def test_every_attempt_is_finalized() -> None:
    plugin = Recorder([PhaseInfo.retryable_failure("C", "m"), GOING_ON, PhaseInfo.success()])
    assert (await run(plugin, retries=1)).phase is ExecutionPhase.SUCCEEDED
    assert plugin.calls == ["load", "handle", "finalize", "handle", "handle", "finalize"]


async def test_a_failure_of_which_something_still_runs_is_aborted_and_finalized() -> None:
    plugin = Recorder([PhaseInfo.permanent_failure("C", "m", live=True)])
    assert (await run(plugin)).phase is ExecutionPhase.FAILED
    assert plugin.calls == ["load", "handle", "abort", "finalize"]


async def test_an_abort_is_repeated_until_it_works_and_then_finalized() -> None:
    plugin = Recorder([GOING_ON])
    plugin.unwilling = 2
    assert (await abort(plugin)).phase is ExecutionPhase.ABORTED
    assert plugin.calls[-4:] == ["abort", "abort", "abort", "finalize"]
    assert set(plugin.calls[1:-4]) == {"handle"}


async def test_a_finalize_is_repeated_until_it_works() -> None:
    plugin = Recorder([PhaseInfo.success()])
    plugin.unwilling = 2
    assert (await run(plugin)).phase is ExecutionPhase.SUCCEEDED
    assert plugin.calls == ["load", "handle", "finalize", "finalize", "finalize"]


async def test_work_that_somebody_else_ended_fails_its_node_for_good() -> None:
    plugin = Recorder([GOING_ON, PhaseInfo.aborted("by its owner")])
    result = await run(plugin, retries=3)
    assert result.error is not None
    assert (result.error.code, result.error.message) == ("ABORTED", "by its owner")
    assert plugin.calls == ["load", "handle", "handle", "finalize"]


@pytest.mark.parametrize(
    ("infos", "reason"),
    [
        ([GOING_ON, PhaseInfo.queued()], "went back from RUNNING to QUEUED"),
        ([None], r"handle returned None; it must return do_transition\(...\)"),
        (
            [GOING_ON, PhaseInfo.running(version=2), PhaseInfo.running(version=1)],
            "version 1 of RUNNING after version 2",
        ),
    ],
)
async def test_a_plugin_that_breaks_the_rules_fails_the_attempt_and_what_it_started_is_ended(
    infos: list[object], reason: str
) -> None:
    plugin = Recorder(infos)
    result = await run(plugin)
    assert result.error is not None
    assert result.error.code == "PLUGIN_FAILED"
    assert result.error.kind == "system"
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(result.error.message)
    assert plugin.calls[-2:] == ["abort", "finalize"]


async def test_a_plugin_that_could_not_be_loaded_is_loaded_for_the_next_task() -> None:
    plugin = Recorder([PhaseInfo.success()])
    tried: list[int] = []

    def load(setup: SetupContext) -> Plugin:
        tried.append(1)
        if len(tried) == 1:
            raise ConnectionError("the warehouse does not answer")
        return plugin

    recorder = PluginEntry(id="recorder", registered_task_types=("fake",), load_plugin=load)
    async with Runner(open_store("memory://"), [recorder]) as runner:
        first = await runner.wait(await runner.start(one()))
        second = await runner.wait(await runner.start(one()))
    assert first.error is not None
    assert first.error.message == "the warehouse does not answer"
    assert second.phase is ExecutionPhase.SUCCEEDED


async def test_a_round_that_the_runner_did_not_see_the_end_of_is_repeated(tmp_path: Path) -> None:
    """The runner ends while a round is under way: the next one calls the plugin with what the rounds before wrote."""
    url = f"sqlite:///{tmp_path}/runs.db"
    seen: list[tuple[bool, object]] = []
    stuck = asyncio.Event()

    class Stuck(Plugin):
        async def handle(self, ctx: TaskExecutionContext) -> object:  # type: ignore[override]
            rounds = ctx.plugin_state_reader.get(int) or 0
            seen.append((ctx.resumed, rounds))
            ctx.plugin_state_writer.put(1, rounds + 1)
            if rounds == 2 and not ctx.resumed:
                stuck.set()
                await asyncio.Event().wait()
            return do_transition(PhaseInfo.success() if rounds == 3 else GOING_ON, again_in=0)

    entries = [PluginEntry(id="stuck", registered_task_types=("fake",), load_plugin=lambda setup: Stuck())]
    async with Runner(open_store(url), entries) as runner:
        execution = await runner.start(one())
        await stuck.wait()
    async with Runner(open_store(url), entries) as runner:
        assert (await runner.wait(execution)).phase is ExecutionPhase.SUCCEEDED
    assert seen == [(False, 0), (False, 1), (False, 2), (True, 2), (True, 3)]
