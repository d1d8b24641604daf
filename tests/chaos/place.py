"""A folder with an external system, a connector server and a runner, each a process of its own."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.flow import GATE, JOBS, OUTPUT
from tests.chaos.runner import EXECUTION
from tests.chaos.world import ask
from tests.workflow_runner.workflows import integer
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

__all__ = ["Outcome", "Place", "place"]

ROOT = Path(__file__).parents[2]
Process = subprocess.Popen[str]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one execution."""

    said: Mapping[str, Any]
    """How the runner says that it ended."""
    submitted: Counter[str]
    """How often a job was started, by node and attempt."""
    cancelled: int
    left: list[str]
    """The jobs that still run."""

    def complaints(self) -> list[str]:
        """What is not as in an undisturbed run."""
        found = []
        if self.said != {"phase": "SUCCEEDED", "error": "", "outputs": {"o0": OUTPUT}}:
            found.append(f"it ended as {self.said}")
        found += [f"{job} was started {times} times" for job, times in self.submitted.items() if times != 1]
        if len(self.submitted) != JOBS:
            found.append(f"{len(self.submitted)} jobs instead of {JOBS}")
        if self.cancelled:
            found.append(f"{self.cancelled} jobs were cancelled")
        if self.left:
            found.append(f"still running: {self.left}")
        return found


class Place:
    """The programs by their names: world, server, runner and, when it is started, network."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._world = f"{folder}/w"
        self._server = f"{folder}/s"
        self._network = f"{folder}/n"
        self._store = f"sqlite:///{folder}/runs.db"
        self._all: list[Process] = []
        self.programs: dict[str, Process] = {}
        self.environment = {
            **os.environ,
            "CHAOS_WORLD": self._world,
            "CONNECTORY_PROCESS_DIR": f"{folder}/processes",
            "CONNECTORY_UDS": self._server,
            "CONNECTORY_MODULES": "tests.chaos.connector",
            "CONNECTORY_LEDGER": f"{folder}/ledger.db",
            "CONNECTORY_LOG_LEVEL": "ERROR",
        }

    def start(self, name: str) -> None:
        """Start a program; all but the server are up when this returns."""
        process = subprocess.Popen(
            [sys.executable, "-m", *self._command(name)],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._all.append(process)
        self.programs[name] = process
        if name != "server":
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line == "up\n", f"{name} did not come up: {line!r}"

    def _command(self, name: str) -> list[str]:
        target = self._network if "network" in self.programs else self._server
        return {
            "world": ["tests.chaos.world", self._world, f"{self._folder}/log"],
            "server": ["connector_server"],
            "network": ["tests.chaos.proxy", self._network, self._server],
            "runner": ["tests.chaos.runner", f"unix:{target}", self._store],
        }[name]

    def kill(self, name: str) -> None:
        """End a program without a word."""
        _kill(self.programs[name])

    def tell_network(self, word: str) -> None:
        """Cut, stall or heal the network between runner and server."""
        network = self.programs["network"]
        assert network.stdin is not None
        assert network.stdout is not None
        network.stdin.write(f"{word}\n")
        network.stdin.flush()
        assert network.stdout.readline() == f"{word}\n"

    def running(self) -> list[str]:
        """The keys of the jobs that run now."""
        keys: list[str] = asyncio.run(ask(self._world, "running"))["keys"]
        return keys

    def answer_gate(self) -> None:
        """Give the value that the workflow waits for."""

        async def answer() -> None:
            async with Runner(open_store(self._store), []) as runner:
                await runner.signal(EXECUTION, GATE, integer(100))

        asyncio.run(answer())

    def outcome(self) -> Outcome:
        """Wait until the runner says how it ended, and count."""
        runner = self.programs["runner"]
        assert runner.stdout is not None
        said = runner.stdout.read()  # `communicate` would pass over what came together with the first line
        runner.wait()
        lines = [json.loads(line) for line in Path(f"{self._folder}/log").read_text().splitlines()]
        return Outcome(
            said=json.loads(said.splitlines()[-1]),
            submitted=Counter(line["key"].partition("/")[2] for line in lines if line["what"] == "submit"),
            cancelled=sum(line["what"] == "cancel" for line in lines),
            left=self.running(),
        )

    def close(self) -> None:
        """End everything."""
        for process in self._all:
            _kill(process)


@contextmanager
def place() -> Iterator[Place]:
    """A place with the external system and the connector server running."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are too long for a socket's name
        made = Place(Path(name))
        try:
            made.start("world")
            made.start("server")
            yield made
        finally:
            made.close()


def _kill(process: Process) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    if process.stdout is not None and not process.stdout.closed:
        process.communicate()
