"""Jobs of a connector server that a later command does not name."""

import os
import signal
from pathlib import Path

from tests.cli.conftest import FLOWS, Command, wait_for_line

WAITER = """
from dataclasses import dataclass

from connectory import AsyncConnector, CreateContext, JobContext, Phase, Resource


@dataclass(frozen=True, kw_only=True)
class Config:
    pass


@dataclass(frozen=True, kw_only=True)
class Job:
    id: str


class Waiter(AsyncConnector[Config, Job]):
    name = "Waiter"
    task_type = "waiter"
    ended = False

    def create(self, ctx: CreateContext[Config]) -> Job:
        return Job(id="1")

    def get(self, job: Job, ctx: JobContext) -> Resource:
        return Resource(phase=Phase.ABORTED if self.ended else Phase.RUNNING)

    def delete(self, job: Job, ctx: JobContext) -> None:
        self.ended = True
"""
WAITS = """
from connectory import ConnectorTask, workflow

waiter = ConnectorTask("waiter", "waiter", inputs={}, outputs={})


@workflow
def waits() -> None:
    waiter()
"""


def begun(connectory: Command, folder: Path) -> int:
    """An execution whose runner was killed while a server of its own runs its job; the job's process."""
    os.mkfifo(folder / "begun")
    own = {"CONNECTORY_HOME": str(folder / "servers-home"), "CONNECTORY_PROCESS_DIR": str(folder / "servers-jobs")}
    usual, connectory.environment = connectory.environment, {**connectory.environment, **own}
    server = connectory.start("serve", "--uds", folder / "connectors.sock", "--address", "127.0.0.1:0")
    wait_for_line(server.stderr, "serving")
    connectory.environment = usual
    words = ("run", FLOWS, "gated", "-i", f"folder={folder}", "--name", "apart")
    run = connectory.start(*words, "--connectors", f"unix:{folder}/connectors.sock")
    process = int((folder / "begun").read_text())
    while "stdout and stderr on" not in connectory("executions", "show", "apart").stdout:
        assert run.poll() is None  # until the runner has written down which job it is
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    return process


def test_an_abort_that_does_not_name_them_ends_the_jobs_all_the_same(connectory: Command, tmp_path: Path) -> None:
    process = begun(connectory, tmp_path)
    assert connectory("executions", "abort", "apart").stdout == "apart ABORTED\n"
    assert not Path(f"/proc/{process}").exists()


def test_going_on_without_naming_them_starts_no_second_job(connectory: Command, tmp_path: Path) -> None:
    begun(connectory, tmp_path)
    resumed = connectory.start("executions", "resume", "apart")
    wait_for_line(resumed.stderr, "another CONNECTORY_PROCESS_DIR or CONNECTORY_HOME")
    os.killpg(resumed.pid, signal.SIGKILL)
    resumed.wait()
    (tmp_path / "gate").touch()
    done = connectory("executions", "resume", "apart", "--connectors", f"unix:{tmp_path}/connectors.sock")
    assert (done.returncode, done.stdout) == (0, "o0 = 7\n"), done.stderr
    assert (tmp_path / "log").read_text().count("begun") == 1


def test_an_abort_says_what_it_waits_for_and_may_be_gone_on_with(connectory: Command, tmp_path: Path) -> None:
    (tmp_path / "waiter.py").write_text(WAITER)
    (tmp_path / "waits.py").write_text(WAITS)
    run = connectory.start("run", "waits.py", "--name", "waits", "--module", "waiter")
    wait_for_line(run.stderr, "n0 waiter: RUNNING")
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    abort = connectory.start("executions", "abort", "waits")
    wait_for_line(abort.stderr, "not gone yet: no connector service offers waiter@0")
    abort.send_signal(signal.SIGINT)
    _, said = abort.communicate(timeout=30)
    assert abort.returncode == 130
    assert "left while waits is ending and external jobs may still run; the same command goes on with it" in said
    done = connectory("executions", "abort", "waits", "--module", "waiter")
    assert (done.returncode, done.stdout) == (0, "waits ABORTED\n"), done.stderr
