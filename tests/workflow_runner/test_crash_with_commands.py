"""Runner and connector server, in one process, are killed together; the commands they started are counted."""

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


def start(folder: Path) -> "subprocess.Popen[str]":
    environ = {**os.environ, "CONNECTORY_PROCESS_DIR": str(folder / "jobs")}
    module = [sys.executable, "-m", "tests.workflow_runner.crash_commands", str(folder)]
    process = subprocess.Popen(module, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are too long for a socket's name
        yield Path(name)


def test_every_command_runs_once_for_each_attempt(folder: Path) -> None:
    chance = random.Random(11)
    killed = 0
    for _ in range(12):
        process = start(folder)
        time.sleep(chance.uniform(0, 0.08))
        process.send_signal(signal.SIGKILL)
        said, _ = process.communicate()
        if said:
            break
        killed += 1
    said, _ = start(folder).communicate(timeout=60)
    print("processes killed:", killed)
    assert killed >= 4, "the workflow was over too soon for this test to mean anything"
    assert msgspec.json.decode(said) == {"phase": "SUCCEEDED", "error": ""}
    happened = Counter((folder / "commands.log").read_text().splitlines())
    assert happened == Counter({f"{verb} {name}": tries for name, tries in TRIES.items() for verb in ("start", "end")})
