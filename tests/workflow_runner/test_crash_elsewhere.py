"""The runner is killed again and again, and each time the next one is given other connectors; commands are counted."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.workflow_runner.crash_commands import TRIES

ROOT = Path(__file__).parents[2]
NAMES = ("one", "other")


class Servers:
    """Two connector servers, each with a ledger and a folder for processes of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.targets = [f"unix:{folder}/{name}" for name in NAMES]
        self._processes = [self._serve(name) for name in NAMES]

    def _serve(self, name: str) -> "subprocess.Popen[bytes]":
        told = {
            "CONNECTORY_UDS": f"{self.folder}/{name}",
            "CONNECTORY_LEDGER": f"{self.folder}/{name}.db",
            "CONNECTORY_PROCESS_DIR": f"{self.folder}/{name}-jobs",
            "CONNECTORY_LOG_LEVEL": "ERROR",
        }
        return subprocess.Popen([sys.executable, "-m", "connector_server"], cwd=ROOT, env={**os.environ, **told})

    def runner(self, targets: list[str]) -> "subprocess.Popen[str]":
        """A runner's process with these connectors, once it is up."""
        words = [sys.executable, "-m", "tests.workflow_runner.crash_elsewhere", str(self.folder), *targets]
        process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process

    def close(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGKILL)
            process.wait()


@pytest.fixture
def servers() -> Iterator[Servers]:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are too long for a socket's name
        made = Servers(Path(name))
        try:
            yield made
        finally:
            made.close()


def test_every_command_runs_once_whichever_connectors_the_next_runner_names(servers: Servers) -> None:
    chance = random.Random(23)
    killed = 0
    for turn in range(14):
        process = servers.runner([servers.targets[turn % 2]])
        time.sleep(chance.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        said, _ = process.communicate()
        if said:
            break
        killed += 1
    said, _ = servers.runner(servers.targets).communicate(timeout=90)
    print("runners killed:", killed)
    assert killed >= 4, "the workflow was over too soon for this test to mean anything"
    assert msgspec.json.decode(said) == {"phase": "SUCCEEDED", "error": ""}
    happened = Counter((servers.folder / "commands.log").read_text().splitlines())
    assert happened == Counter({f"{verb} {name}": tries for name, tries in TRIES.items() for verb in ("start", "end")})
