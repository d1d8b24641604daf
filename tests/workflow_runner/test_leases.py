"""Two runner processes share a store; one of them is killed or hangs, and the other one finishes its executions."""

import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflow_runner.crash_runner import EXECUTION, EXPECTED

ROOT = Path(__file__).parents[2]
ELSEWHERE = "another-machine/1/1/unknown/{}"
"""The name of a runner of which nothing is known but its lease."""


class Site:
    """A connector service in a process of its own, and the runners beside it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url = url
        self.log = folder / "jobs.log"
        self.target = f"unix:{folder}/s"
        self.processes: list[subprocess.Popen[str]] = []
        service = self._python("tests.workflow_runner.plugins.fake_service", f"{folder}/s", str(self.log))
        assert _line(service) == "ready"

    def runner(self, start: str, expect: str, *, owner: str = "") -> "subprocess.Popen[str]":
        """A runner that has started the executions of these numbers, and waits for those."""
        process = self._python("tests.workflow_runner.lease_runner", self.url, self.target, owner, start, expect)
        assert _line(process) == "up"
        assert _line(process) == "started"
        return process

    def until_created(self, count: int, execution: str) -> None:
        """Return once so many jobs of the execution have been created."""
        while sum(f"{EXECUTION}-{execution}-" in line for line in self._created()) < count:
            time.sleep(0.005)

    def created(self) -> Counter[tuple[str, str, int]]:
        """How often each (execution, node, attempt) was created."""
        keys = [line.split()[1].split("/") for line in self._created()]
        return Counter((prefix.split("-")[1], node, int(attempt)) for prefix, node, attempt in keys)

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()

    def _created(self) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if line.startswith("create ")]

    def _python(self, module: str, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", module, *arguments]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "postgres":
        yield request.getfixturevalue("postgres_url")
        return
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/runs.db"


@pytest.fixture
def site(url: str) -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        opened = Site(Path(folder), url)
        try:
            yield opened
        finally:
            opened.close()


def _all_succeeded(numbers: str) -> set[str]:
    return {f"{EXECUTION}-{number} SUCCEEDED 13" for number in numbers}


def _every_job_once(numbers: str) -> dict[tuple[str, str, int], int]:
    return {(number, node, attempt): 1 for number in numbers for node, attempt in EXPECTED}


@pytest.mark.parametrize("owner", ["", ELSEWHERE.format(1)], ids=["on-this-machine", "elsewhere"])
def test_what_a_killed_runner_left_is_finished_by_the_other_one(site: Site, owner: str) -> None:
    killed = site.runner("012", "012", owner=owner)
    other = site.runner("34", "01234")
    site.until_created(4, "1")
    killed.kill()
    said, _ = other.communicate(timeout=60)
    assert set(said.splitlines()) == _all_succeeded("01234")
    assert site.created() == _every_job_once("01234")


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_runner_that_hung_lets_go_of_what_was_taken_from_it(site: Site) -> None:
    hung = site.runner("012", "012", owner=ELSEWHERE.format(1))
    site.until_created(4, "1")
    hung.send_signal(signal.SIGSTOP)
    other = site.runner("", "012")
    said, _ = other.communicate(timeout=60)
    assert set(said.splitlines()) == _all_succeeded("012")
    hung.send_signal(signal.SIGCONT)
    said, _ = hung.communicate(timeout=60)
    assert all("LogConflictError" in line or line in _all_succeeded("012") for line in said.splitlines()), said
    assert "another runner has taken it over" in said
    assert site.created() == _every_job_once("012")
