"""The real command in real processes, each test with a state folder of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

FLOWS = Path(__file__).with_name("flows.py")
COMMAND = [sys.executable, "-P", "-m", "connectory_cli"]


class Command:
    """Runs `connectory` with its state below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.begin_with: list[str] = []
        """A command that the command is given to."""
        self.command = COMMAND
        self._started: list[subprocess.Popen[str]] = []
        self.environment = {
            **os.environ,
            "CONNECTORY_HOME": str(folder / "home"),
            "CONNECTORY_PROCESS_DIR": str(folder / "processes"),
        }

    def __call__(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run to the end."""
        return subprocess.run(
            [*self.begin_with, *self.command, *map(str, words)],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self, *words: object) -> subprocess.Popen[str]:
        """Start, in a process group of its own; what is left of it is killed after the test."""
        process = subprocess.Popen(
            [*self.begin_with, *self.command, *map(str, words)],
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()


def wait_for_line(stream: IO[str] | None, part: str) -> str:
    """Read until a line holds this part; the end of the stream before that fails the test."""
    assert stream is not None
    seen = []
    for line in stream:
        seen.append(line)
        if part in line:
            return line
    raise AssertionError(f"no line with {part!r} in:\n{''.join(seen)}")


@pytest.fixture
def connectory(tmp_path: Path) -> Iterator[Command]:
    command = Command(tmp_path)
    yield command
    command.close()
