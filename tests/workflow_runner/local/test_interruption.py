"""Ctrl-C while a workflow runs in plain Python ends what it waits for; jobs are deleted before it is raised."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from connectory.authoring import ProcessTask, workflow
from connectory.authoring.errors import TaskFailedError

PROGRAM = """
import asyncio, threading
from connectory.authoring import ProcessTask, kwtypes, task, workflow

long = ProcessTask("long", command=["echo $$ > {fifo}; exec sleep 60"], shell=True)
other = ProcessTask("other", command=["sleep", "0"])

@task(retries=9)
def flaky() -> int:
    raise ValueError("not yet")

@task
def blocked() -> int:
    threading.Event().wait()
    return 1

@workflow
def jobs() -> None:
    long()
    other()

@workflow
def waiting() -> int:
    long()
    return flaky()

@workflow
def beside() -> int:
    long()
    return blocked()

async def main():
    {flow}()

{call}
"""


endless = ProcessTask(
    "endless",
    command=['echo $$ > "$1"; exec sleep 60', "{{ .inputs.pid }}"],
    shell=True,
    inputs={"pid": str},
    timeout=timedelta(seconds=2),
)


@workflow
def too_long(pid: str) -> None:
    endless(pid=pid)


def test_a_job_is_deleted_at_its_timeout(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    with pytest.raises(TaskFailedError, match="did not end within 2 s"):
        too_long(pid=str(path))
    with pytest.raises(ProcessLookupError):
        os.kill(int(path.read_text()), 0)


@pytest.mark.parametrize("flow", ["jobs", "waiting", "beside"])
@pytest.mark.parametrize("call", ["{flow}()", "asyncio.run(main())"])
def test_jobs_are_deleted(flow: str, call: str, tmp_path: Path) -> None:
    fifo = tmp_path / "pid"
    os.mkfifo(fifo)
    source = PROGRAM.format(fifo=fifo, flow=flow, call=call.format(flow=flow))
    program = subprocess.Popen([sys.executable, "-c", source], stderr=subprocess.PIPE)
    pid = int(fifo.read_text())
    program.send_signal(signal.SIGINT)
    _, err = program.communicate(timeout=90)
    assert program.returncode != 0
    assert b"KeyboardInterrupt" in err
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
