"""The runner is killed after its connector service has created a job, and before it knows the job's handle. Whoever
goes on with other connectors can neither create the job again nor say that it is gone.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Command, wait_for_line

ROOT = Path(__file__).parents[2]


class Elsewhere:
    """A connector server with a home of its own, and an execution whose runner was killed in the middle of a create."""

    def __init__(self, connectory: Command, folder: Path) -> None:
        self._connectory = connectory
        self._folder = folder
        self.target = f"unix:{folder}/first.sock"
        self.server = self.serve("first.sock", "first")
        self.job = self._killed_in_create()

    def serve(self, socket: str, home: str) -> "subprocess.Popen[str]":
        """Start a server whose ledger and processes are in a folder of this name."""
        usual = self._connectory.environment
        self._connectory.environment = {**usual, "CONNECTORY_PROCESS_DIR": str(self._folder / home / "processes")}
        words = ("--ledger", self._folder / home / "ledger.sqlite", "--address", "127.0.0.1:0")
        server = self._connectory.start("serve", "--uds", self._folder / socket, *words)
        self._connectory.environment = usual
        wait_for_line(server.stderr, "serving")
        return server

    def _killed_in_create(self) -> int:
        os.mkfifo(self._folder / "begun")
        store = self._folder / "home" / "runner.db"
        words = ["-m", "tests.cli.killed_in_create", str(store), self.target, "left", str(self._folder)]
        runner = subprocess.Popen([sys.executable, *words], cwd=ROOT, env=self._connectory.environment)
        job = int((self._folder / "begun").read_text())
        assert runner.wait(60) == -signal.SIGKILL
        return job

    @property
    def runs(self) -> bool:
        return Path(f"/proc/{self.job}").exists()

    @property
    def begun(self) -> int:
        """How often the command was begun."""
        return (self._folder / "log").read_text().count("begun")

    def close(self) -> None:
        if self.runs:
            os.killpg(self.job, signal.SIGKILL)


@pytest.fixture
def elsewhere(connectory: Command, tmp_path: Path) -> Iterator[Elsewhere]:
    made = Elsewhere(connectory, tmp_path)
    yield made
    made.close()


def test_an_abort_that_names_other_connectors_neither_creates_nor_confirms(
    connectory: Command, elsewhere: Elsewhere
) -> None:
    abort = connectory.start("executions", "abort", "left")
    said = wait_for_line(abort.stderr, "not gone yet")
    assert f"--connectors {elsewhere.target}" in said
    abort.send_signal(signal.SIGINT)
    abort.communicate(timeout=30)
    assert abort.returncode == 130
    assert (elsewhere.runs, elsewhere.begun) == (True, 1)
    done = connectory("executions", "abort", "left", "--connectors", elsewhere.target)
    assert (done.returncode, done.stdout) == (0, "left ABORTED\n"), done.stderr
    assert (elsewhere.runs, elsewhere.begun) == (False, 1)


def test_going_on_with_other_connectors_starts_no_second_job(
    connectory: Command, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    resumed = connectory.start("executions", "resume", "left")
    wait_for_line(resumed.stderr, f"--connectors {elsewhere.target}")
    os.killpg(resumed.pid, signal.SIGKILL)
    resumed.wait()
    assert (elsewhere.runs, elsewhere.begun) == (True, 1)
    (tmp_path / "gate").touch()
    done = connectory("executions", "resume", "left", "--connectors", elsewhere.target)
    assert done.returncode == 0, done.stderr
    assert elsewhere.begun == 1


def test_a_server_that_has_moved_with_its_ledger_is_still_the_same(
    connectory: Command, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    elsewhere.server.terminate()
    elsewhere.server.wait(30)
    elsewhere.serve("moved.sock", "first")
    done = connectory("executions", "abort", "left", "--connectors", f"unix:{tmp_path}/moved.sock")
    assert (done.returncode, done.stdout) == (0, "left ABORTED\n"), done.stderr
    assert (elsewhere.runs, elsewhere.begun) == (False, 1)
