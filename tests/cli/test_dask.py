"""Python tasks on a Dask cluster of separate processes, as an operator starts one."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.conftest import Command

FLOW = """
import os

from connectory import dynamic, map_task, task, workflow


@task
def where(x: int) -> int:
    return os.getpid()


@dynamic
def made(n: int) -> int:
    return where(x=n)


@workflow
def flow() -> tuple[list[int], int]:
    return map_task(where)(x=[1, 2, 3]), made(n=1)
"""


@pytest.fixture
def worker(connectory: Command, tmp_path: Path) -> Iterator[int]:
    """A scheduler and one worker, which the environment of the command names; the worker's process id."""
    pytest.importorskip("distributed", reason="pip install 'connectory[dask]'")
    known, environment = tmp_path / "scheduler.json", {**os.environ, "PYTHONPATH": str(tmp_path)}
    quiet = ["--no-dashboard", "--scheduler-file", str(known)]
    with ExitStack() as stack:

        def start(module: str, *words: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", f"distributed.cli.{module}", *quiet, *words]
            process = stack.enter_context(subprocess.Popen(command, env=environment, cwd=tmp_path))
            stack.callback(process.terminate)
            return process

        start("dask_scheduler", "--host", "127.0.0.1", "--port", "0")
        address = _address(known)
        connectory.environment["DASK_SCHEDULER_ADDRESS"] = address
        yield start("dask_worker", "--no-nanny", "--nthreads", "1", "--local-directory", str(tmp_path / "dask")).pid


def _address(known: Path) -> str:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if known.exists() and (said := known.read_text()):
            return str(json.loads(said)["address"])
        time.sleep(0.05)
    raise AssertionError("the scheduler did not start")


def test_tasks_run_in_the_worker_of_the_cluster_that_the_environment_names(
    connectory: Command, worker: int, tmp_path: Path
) -> None:
    file = tmp_path / "on_dask.py"
    file.write_text(FLOW)
    done = connectory("run", file, "--executor", "dask", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outputs"] == {"o0": [worker] * 3, "o1": worker}
