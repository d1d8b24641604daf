"""The runner's own sleep, on clocks that the test moves."""

from datetime import timedelta

import pytest

from connectory.connector.contract import Phase
from connectory.v1 import literals_pb2, types_pb2
from tests.workflow_runner.workflows import integer, literal_map, string, task
from workflow_runner.plugins.contract import PluginEntry
from workflow_runner.plugins.sleep import SleepPlugin
from workflow_runner.testing import BenchAttempt, PluginBench, PluginTask

LONG = PluginTask(template=task("t", "sleep", custom={"duration": 100}))


class Clocks:
    """A wall clock and a steady one."""

    wall = 1_000_000.0
    steady = 5.0

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def bench(self) -> PluginBench:
        return PluginBench(
            lambda: PluginEntry(
                id="sleep",
                registered_task_types=["sleep"],
                load_plugin=lambda setup: SleepPlugin(lambda: self.wall, lambda: self.steady),
            )
        )


async def phase(attempt: BenchAttempt) -> Phase:
    return (await attempt.handle()).info.phase


async def test_the_time_is_counted_from_the_first_round_over_restarts() -> None:
    clocks = Clocks()
    async with clocks.bench() as bench:
        assert await phase(bench.attempt(LONG)) is Phase.RUNNING
        clocks.pass_by(60)
        clocks.steady = 0  # another boot
        await bench.restart()
        attempt = bench.attempt(LONG, resumed=True)
        assert (await attempt.handle()).again_in == 40
        clocks.pass_by(40)
        assert await phase(attempt) is Phase.SUCCEEDED


async def test_a_wall_clock_that_is_set_back_adds_nothing() -> None:
    clocks = Clocks()
    async with clocks.bench() as bench:
        attempt = bench.attempt(LONG)
        assert await phase(attempt) is Phase.RUNNING
        clocks.pass_by(99)
        clocks.wall -= 3600
        assert (await attempt.handle()).again_in == 1
        clocks.pass_by(1)
        assert await phase(attempt) is Phase.SUCCEEDED


def nap() -> literals_pb2.Literal:
    literal = literals_pb2.Literal()
    literal.scalar.primitive.duration.FromTimedelta(timedelta(seconds=30))
    return literal


@pytest.mark.parametrize(("given", "kind"), [(integer(30), types_pb2.INTEGER), (nap(), types_pb2.DURATION)])
async def test_an_input_says_how_long(given: literals_pb2.Literal, kind: types_pb2.SimpleType) -> None:
    template = task("t", "sleep", inputs={"duration": types_pb2.LiteralType(simple=kind)}, custom={"duration": 1})
    async with Clocks().bench() as bench:
        attempt = bench.attempt(PluginTask(template=template, inputs=literal_map(duration=given)))
        assert (await attempt.handle()).again_in == 30


async def test_what_is_no_time_is_refused() -> None:
    template = task("t", "sleep", inputs={"duration": types_pb2.LiteralType(simple=types_pb2.STRING)})
    async with Clocks().bench() as bench:
        attempt = bench.attempt(PluginTask(template=template, inputs=literal_map(duration=string("soon"))))
        info = (await attempt.handle()).info
    assert info.failure is not None
    assert info.failure.message.startswith("input 'duration' is ")
