"""A quota holds although the runner is killed again and again while what it counts goes on."""

import random
import subprocess
import sys
import time
from pathlib import Path

from tests.workflow_runner.plugins.killed_with_tokens import QUOTA, TASKS

ROOT = Path(__file__).parents[3]


def start(folder: Path) -> "subprocess.Popen[str]":
    words = [sys.executable, "-m", "tests.workflow_runner.plugins.killed_with_tokens", str(folder)]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def test_no_more_than_the_quota_is_ever_outside(tmp_path: Path) -> None:
    chance = random.Random(11)
    killed = 0
    for _ in range(8):
        process = start(tmp_path)
        time.sleep(chance.uniform(0.02, 0.2))
        process.kill()
        said, _ = process.communicate()
        killed += not said
    said, _ = start(tmp_path).communicate(timeout=60)
    assert killed >= 3, "the workflow was over too soon for this test to mean anything"
    assert said == "SUCCEEDED\n"
    outside: set[str] = set()
    most, ended = 0, 0
    for line in (tmp_path / "log").read_text().splitlines():
        verb, name = line.split()
        if verb == "begin":
            outside.add(name)
            most = max(most, len(outside))
        else:
            outside.remove(name)
            ended += 1
    assert (most, ended) == (QUOTA, TASKS)
