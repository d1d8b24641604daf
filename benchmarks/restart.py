"""Measure how soon a runner serves again after it was killed: `python -m benchmarks.restart [--executions 1000]`.

A process starts so many executions of ten nodes and is killed with SIGKILL while each of them waits in the middle, its
attempt and what its plugin remembers on record. Another process opens the same store. Measured from before that process
exists: when its runner is open and takes calls ("serving"), and when every execution is driven again ("driven"). The
longest time for which its event loop answered nobody is measured too, because a runner that is busy resuming does not
serve. Both processes run on this machine, so the second one knows at once that the first one is gone; elsewhere the
lease comes on top. The bar is on "driven".
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Final

from benchmarks.servers import ROOT
from connectory import ConnectorTask, workflow
from connectory.compiler import compile_workflow
from tests.postgres import postgres_when_installed
from workflow_runner.plugins.contract import Plugin, PluginEntry, TaskExecutionContext
from workflow_runner.plugins.phases import PhaseInfo, Transition, do_transition
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

BAR: Final = 3.0
_HOLDS: Final = 5
"""At which node, from 0, every execution waits."""

step = ConnectorTask("step", "step", inputs={"number": int}, outputs={"number": int})


@workflow
def chain() -> int:
    """Ten tasks in a row."""
    number = step(number=0)
    for _ in range(9):
        number = step(number=number)
    return number


class StepPlugin(Plugin):
    """Counts up, and waits for ever in the middle."""

    def __init__(self) -> None:
        self.waiting: set[str] = set()

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        """One round."""
        number = ctx.inputs.literals["number"].scalar.primitive.integer
        if number == _HOLDS:
            ctx.state.write({"waits": True})
            self.waiting.add(ctx.key)
            return do_transition(PhaseInfo.running("waiting"), again_in=3600)
        outputs = type(ctx.inputs)()
        outputs.literals["number"].scalar.primitive.integer = number + 1
        return do_transition(PhaseInfo.success(outputs))


async def _begin(url: str, count: int) -> None:
    plugin = StepPlugin()
    async with Runner(open_store(url), [_entry(plugin)]) as runner:
        closure = compile_workflow(chain)
        for _ in range(0, count, 100):
            await asyncio.gather(*(runner.start(closure) for _ in range(min(100, count))))
        while len(plugin.waiting) < count:  # noqa: ASYNC110 - the plugin is not to be slowed down by telling
            await asyncio.sleep(0.02)
        print("waiting", flush=True)
        await asyncio.sleep(3600)


async def _restart(url: str, count: int, began: float) -> None:
    plugin = StepPlugin()
    async with Runner(open_store(url), [_entry(plugin)], adopt=True):
        serving, longest, last = time.time() - began, 0.0, time.perf_counter()
        while len(plugin.waiting) < count:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
        figures = {"serving": serving, "driven": time.time() - began, "longest silence": longest}
    print(json.dumps(figures), flush=True)


def _entry(plugin: StepPlugin) -> PluginEntry:
    return PluginEntry(id="step", registered_task_types=("step",), load_plugin=lambda setup: plugin)


def _process(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.restart", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def measure(url: str, count: int) -> dict[str, float]:
    """The figures of one restart, in seconds; the store is new."""
    with _process("--begin", url, "--executions", str(count)) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "waiting\n"
        first.kill()
    began = time.time()
    with _process("--restart", url, "--executions", str(count), "--began", str(began)) as second:
        said, _ = second.communicate()
    figures: dict[str, float] = json.loads(said)
    return figures


@contextmanager
def _stores(rounds: int) -> Iterator[dict[str, list[str]]]:
    with tempfile.TemporaryDirectory() as folder, postgres_when_installed() as server:
        urls = []
        for number in range(rounds):
            server.query(f"CREATE SCHEMA round{number}")
            urls.append(f"{server.socket_uri}&search_path=round{number}")
        yield {"sqlite": [f"sqlite:///{folder}/{number}.db" for number in range(rounds)], "postgres": urls}


def main() -> None:
    """Measure, and print the medians beside the bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executions", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--begin", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--restart", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--began", type=float, default=0.0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.begin:
        asyncio.run(_begin(asked.begin, asked.executions))
    elif asked.restart:
        asyncio.run(_restart(asked.restart, asked.executions, asked.began))
    else:
        with _stores(asked.rounds) as stores:
            for name, urls in stores.items():
                rows = [measure(url, asked.executions) for url in urls]
                for figure in rows[0]:
                    bar = f"   bar {BAR:.1f} s" if figure == "driven" else ""
                    print(f"{name:9} {figure:16} {median(row[figure] for row in rows):6.2f} s{bar}")


if __name__ == "__main__":
    main()
