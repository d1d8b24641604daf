"""Runner processes that share a store, a connector service beside them, and what became of its jobs."""

import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflow_runner.crash_runner import EXECUTION, EXPECTED

__all__ = ["Site", "all_succeeded", "every_job_once", "line_of", "site"]

ROOT = Path(__file__).parents[2]


class Site:
    """A connector service in a process of its own, and the runners beside it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url = url
        self.log = folder / "jobs.log"
        self.target = f"unix:{folder}/s"
        self.processes: list[subprocess.Popen[str]] = []
        service = self._python("tests.workflow_runner.plugins.fake_service", f"{folder}/s", str(self.log))
        assert line_of(service) == "ready"

    def runner(self, start: str, expect: str, *, owner: str = "") -> "subprocess.Popen[str]":
        """A runner that has started the executions of these numbers, and waits for those."""
        process = self._python("tests.workflow_runner.lease_runner", self.url, self.target, owner, start, expect)
        assert line_of(process) == "up"
        assert line_of(process) == "started"
        return process

    def until_created(self, count: int, execution: str = "") -> None:
        """Return once so many jobs have been created, of the execution of this number or of all."""
        wanted = f"{EXECUTION}-{execution}-" if execution else EXECUTION
        while sum(wanted in line for line in self._created()) < count:
            time.sleep(0.005)

    def created(self) -> Counter[tuple[str, str, int]]:
        """How often each (execution, node, attempt) was created."""
        keys = [line.split()[1].split("/") for line in self._created()]
        return Counter((prefix.split("-")[1], node, int(attempt)) for prefix, node, attempt in keys)

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def _created(self) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if line.startswith("create ")]

    def _python(self, module: str, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", module, *arguments]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process


def line_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def site(url: str) -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        opened = Site(Path(folder), url)
        try:
            yield opened
        finally:
            opened.close()


def all_succeeded(numbers: str) -> set[str]:
    return {f"{EXECUTION}-{number} SUCCEEDED 13" for number in numbers}


def every_job_once(numbers: str) -> dict[tuple[str, str, int], int]:
    return {(number, node, attempt): 1 for number in numbers for node, attempt in EXPECTED}
