"""Jobs of a connector server that a later command does not name."""

import os
import signal
from pathlib import Path

from tests.cli.conftest import FLOWS, Command, wait_for_line


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
    wait_for_line(run.stderr, "RUNNING")
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
