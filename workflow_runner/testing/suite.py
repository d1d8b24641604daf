"""What every plugin must do, whatever it carries out."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from connectory.connector.contract import Phase
from connectory.types import default_types
from workflow_runner.plugins.contract import PluginEntry, SetupContext
from workflow_runner.plugins.registry import PluginRegistry
from workflow_runner.testing.bench import BenchAttempt, PluginBench, PluginTask

__all__ = ["MakeEntry", "PluginSuite"]

MakeEntry = Callable[[], PluginEntry]


class PluginSuite:
    """Subclass it as `Test...`, and override the fixtures `make_entry` and `good_task`, and others where they apply.

    `make_entry` gives a function that makes a new entry, as a restarted runner would. `good_task` succeeds within
    `time_limit` seconds and, if it can be had, runs for a moment first; `long_task` would run for much longer than
    that, and `bad_task` fails. `survives_restart` is False for plugins whose work ends with the runner: then a resumed
    attempt may be reported as interrupted.
    """

    pytestmark = pytest.mark.asyncio

    time_limit: float = 30.0
    survives_restart: bool = True

    @pytest.fixture
    def make_entry(self) -> MakeEntry:
        """Makes the entry of the plugin under test."""
        raise NotImplementedError("override the fixture make_entry")

    @pytest.fixture
    def good_task(self) -> PluginTask:
        """A task that succeeds."""
        raise NotImplementedError("override the fixture good_task")

    @pytest.fixture
    def long_task(self) -> PluginTask | None:
        """A task that goes on until it is aborted; None skips the tests that need it."""
        return None

    @pytest.fixture
    def bad_task(self) -> PluginTask | None:
        """A task that fails; None skips the test that needs it."""
        return None

    @pytest.fixture
    def setup_context(self) -> SetupContext:
        """What the plugin is loaded with."""
        return SetupContext()

    @pytest.fixture
    def bench(self, make_entry: MakeEntry, setup_context: SetupContext, tmp_path: Path) -> PluginBench:
        """The plugin on a bench."""
        return PluginBench(make_entry, setup=setup_context, output_prefix=str(tmp_path / "outputs"))

    async def test_the_entry_is_registered_and_the_plugin_loaded_with_its_first_task(
        self, make_entry: MakeEntry, good_task: PluginTask, setup_context: SetupContext
    ) -> None:
        registry = PluginRegistry([make_entry()], setup_context)
        try:
            plugin = await registry.get(good_task.template)
            assert await registry.get(good_task.template) is plugin
        finally:
            await registry.close()

    async def test_a_good_task_succeeds_with_its_declared_outputs(
        self, bench: PluginBench, good_task: PluginTask
    ) -> None:
        async with bench, asyncio.timeout(self.time_limit):
            attempt = bench.attempt(good_task)
            await _succeed(attempt)
            await attempt.finalize()
        default_types().check_map(attempt.outputs, good_task.template.interface.outputs)

    async def test_a_round_after_the_end_reports_the_same_end(self, bench: PluginBench, good_task: PluginTask) -> None:
        async with bench, asyncio.timeout(self.time_limit):
            attempt = bench.attempt(good_task)
            await _succeed(attempt)
            before = attempt.outputs
            await _succeed(attempt)
            await attempt.finalize()
        assert attempt.outputs == before

    async def test_a_runner_that_was_killed_after_finalize_hears_the_same_end(
        self, bench: PluginBench, good_task: PluginTask
    ) -> None:
        if not self.survives_restart:
            pytest.skip("its work ends with the runner")
        async with bench, asyncio.timeout(self.time_limit):
            attempt = bench.attempt(good_task)
            await _succeed(attempt)
            await attempt.finalize()
            await bench.restart()
            again = bench.attempt(good_task, resumed=True)
            await _succeed(again)
            await again.finalize()
        assert again.outputs == attempt.outputs

    async def test_a_runner_that_was_killed_between_rounds_goes_on(
        self, bench: PluginBench, good_task: PluginTask
    ) -> None:
        async with bench, asyncio.timeout(self.time_limit):
            if not (await bench.attempt(good_task).handle()).info.phase.is_terminal:
                await bench.restart()
            attempt = bench.attempt(good_task, resumed=True)
            await self._succeed_or_be_interrupted(attempt)
            await attempt.finalize()

    async def test_a_runner_that_was_killed_within_a_round_goes_on(
        self, bench: PluginBench, good_task: PluginTask
    ) -> None:
        """What the first rounds began is begun once, although the runner has forgotten it."""
        async with bench, asyncio.timeout(self.time_limit):
            for _ in range(2):
                await bench.attempt(good_task, resumed=True).handle(kept=False)
                await bench.restart()
            attempt = bench.attempt(good_task, resumed=True)
            await self._succeed_or_be_interrupted(attempt)
            await attempt.finalize()

    @pytest.mark.parametrize("rounds", [1, 2, 3])
    async def test_another_runner_goes_on_with_what_was_let_go(
        self, bench: PluginBench, good_task: PluginTask, rounds: int
    ) -> None:
        async with bench, asyncio.timeout(self.time_limit):
            attempt = bench.attempt(good_task)
            for _ in range(rounds):
                if (await attempt.handle()).info.phase.is_terminal:
                    break
            await attempt.let_go()
            bench.hand_over()
            attempt = bench.attempt(good_task, resumed=True)
            await self._succeed_or_be_interrupted(attempt)
            await attempt.finalize()

    async def test_attempts_do_not_disturb_each_other(self, bench: PluginBench, good_task: PluginTask) -> None:
        async with bench, asyncio.timeout(self.time_limit):
            attempts = [bench.attempt(good_task, name, number=number) for name in "ab" for number in (0, 1)]
            await asyncio.gather(*(_whole(attempt) for attempt in attempts))
        for attempt in attempts:
            default_types().check_map(attempt.outputs, good_task.template.interface.outputs)

    async def test_finalize_may_be_repeated(self, bench: PluginBench, good_task: PluginTask) -> None:
        async with bench, asyncio.timeout(self.time_limit):
            attempt = bench.attempt(good_task)
            await _succeed(attempt)
            await attempt.finalize()
            await attempt.finalize()

    async def test_an_attempt_that_never_began_can_be_aborted(self, bench: PluginBench, good_task: PluginTask) -> None:
        async with bench, asyncio.timeout(self.time_limit):
            attempt = bench.attempt(good_task)
            await attempt.abort()
            await attempt.finalize()

    async def test_an_attempt_that_has_ended_can_be_aborted(self, bench: PluginBench, good_task: PluginTask) -> None:
        async with bench, asyncio.timeout(self.time_limit):
            attempt = bench.attempt(good_task)
            await _succeed(attempt)
            await attempt.abort()
            await attempt.finalize()

    async def test_abort_may_be_repeated_and_finalize_follows(
        self, bench: PluginBench, long_task: PluginTask | None
    ) -> None:
        if long_task is None:
            pytest.skip("the suite was given no long_task")
        async with bench, asyncio.timeout(self.time_limit):
            attempt = bench.attempt(long_task)
            await _begin(attempt)
            await attempt.abort()
            await attempt.abort()
            await attempt.finalize()

    async def test_an_attempt_of_before_a_restart_can_be_aborted(
        self, bench: PluginBench, long_task: PluginTask | None
    ) -> None:
        if long_task is None:
            pytest.skip("the suite was given no long_task")
        async with bench, asyncio.timeout(self.time_limit):
            await _begin(bench.attempt(long_task))
            await bench.restart()
            attempt = bench.attempt(long_task, resumed=True)
            await attempt.abort()
            await attempt.finalize()

    async def test_a_bad_task_fails_with_a_code_and_a_message(
        self, bench: PluginBench, bad_task: PluginTask | None
    ) -> None:
        if bad_task is None:
            pytest.skip("the suite was given no bad_task")
        async with bench, asyncio.timeout(self.time_limit):
            attempt = bench.attempt(bad_task)
            info = await attempt.run()
            if info.live:
                await attempt.abort()
            await attempt.finalize()
        assert info.phase in (Phase.FAILED, Phase.RETRYABLE_FAILED, Phase.ABORTED)
        assert info.failure is not None
        assert info.failure.code
        assert info.failure.message

    async def _succeed_or_be_interrupted(self, attempt: BenchAttempt) -> None:
        info = await attempt.run()
        if info.failure is not None and info.failure.kind == "interrupted" and not self.survives_restart:
            assert info.failure.recoverable
            return
        assert info.phase is Phase.SUCCEEDED, info


async def _begin(attempt: BenchAttempt) -> None:
    """Rounds until the work goes on."""
    while (await attempt.handle()).info.phase is not Phase.RUNNING:
        assert attempt.last is not None
        assert not attempt.last.phase.is_terminal, attempt.last
        await asyncio.sleep(0.005)


async def _whole(attempt: BenchAttempt) -> None:
    await _succeed(attempt)
    await attempt.finalize()


async def _succeed(attempt: BenchAttempt) -> None:
    info = await attempt.run()
    assert info.phase is Phase.SUCCEEDED, info
