"""The runner's process is killed again and again, at random moments; the jobs outside are counted afterwards."""

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

from tests.workflow_runner.crash_eager import CALLS
from tests.workflow_runner.crash_runner import EXECUTION, EXPECTED

ROOT = Path(__file__).parents[2]


class Outside:
    """A connector service in a process of its own, and its log of what happened to jobs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "jobs.log"
        self.target = f"unix:{folder}/s"
        self.process = _python("tests.workflow_runner.plugins.fake_service", f"{folder}/s", str(self.log))
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def happened(self) -> Counter[tuple[str, str, int]]:
        """How often each (verb, node, attempt) is in the log."""
        counted: Counter[tuple[str, str, int]] = Counter()
        for line in self.log.read_text().splitlines():
            verb, key = line.split()
            prefix, node, attempt = key.split("/")
            assert prefix.startswith(EXECUTION)
            counted[verb, node, int(attempt)] += 1
        return counted

    def runner(self, what: str, store: str) -> "subprocess.Popen[str]":
        """A runner's process, once it is up."""
        process = _python("tests.workflow_runner.crash_runner", what, self.target, f"sqlite:///{self.folder}/{store}")
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process


@pytest.fixture
def outside() -> Iterator[Outside]:
    with tempfile.TemporaryDirectory() as folder:
        system = Outside(Path(folder))
        try:
            yield system
        finally:
            _kill(system.process)


def _python(module: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _kill(process: "subprocess.Popen[str]") -> str:
    process.send_signal(signal.SIGKILL)
    return _said(process)


def _said(process: "subprocess.Popen[str]") -> str:
    """What it says until it ends; some of that may have come together with what was read already."""
    assert process.stdout is not None
    with process:
        return process.stdout.read()


def _kill_often(outside: Outside, what: str, times: int, longest: float, seed: int, shortest: float = 0) -> int:
    """Kill up to so many runners, each after a random time; how many were killed before they had finished."""
    chance = random.Random(seed)
    for killed in range(times):
        process = outside.runner(what, "runs.db")
        time.sleep(chance.uniform(shortest, longest))
        if _kill(process):
            return killed
    return times


def test_no_job_is_lost_doubled_or_left_behind(outside: Outside) -> None:
    killed = _kill_often(outside, "run", times=20, longest=0.08, seed=7)
    said = _said(outside.runner("run", "runs.db"))
    print("runners killed:", killed)
    assert killed >= 5, "the workflow was over too soon for this test to mean anything"
    assert msgspec.json.decode(said) == {"phase": "SUCCEEDED", "o": 13}
    happened = outside.happened()
    created = {(node, attempt): count for (verb, node, attempt), count in happened.items() if verb == "create"}
    assert created == dict.fromkeys(EXPECTED, 1)
    ended = {(node, attempt) for verb, node, attempt in happened if verb == "end"}
    assert ended == EXPECTED
    assert not [verb for verb, _, _ in happened if verb == "delete"]


def test_an_abort_that_is_killed_goes_on_until_every_job_is_gone(outside: Outside) -> None:
    _kill_often(outside, "abort", times=8, longest=0.04, seed=3)
    said = _said(outside.runner("abort", "runs.db"))
    assert msgspec.json.decode(said)["phase"] == "ABORTED"
    happened = outside.happened()
    assert all(count == 1 for count in happened.values())
    assert {key[1:] for key in happened if key[0] == "create"} == {key[1:] for key in happened if key[0] == "delete"}


def test_code_that_drives_jobs_is_run_again_and_calls_nothing_twice(outside: Outside) -> None:
    killed = _kill_often(outside, "eager", times=4, longest=1.5, seed=11, shortest=0.6)
    said = _said(outside.runner("eager", "runs.db"))
    print("runners killed:", killed)
    assert killed >= 1, "the workflow was over too soon for this test to mean anything"
    assert msgspec.json.decode(said) == {"phase": "SUCCEEDED", "o": 1 + 2 + 3 + 4 + 5}
    happened = outside.happened()
    for verb in ("create", "end"):
        assert sorted(count for (each, _, _), count in happened.items() if each == verb) == [1] * CALLS
    assert not [verb for verb, _, _ in happened if verb == "delete"]
