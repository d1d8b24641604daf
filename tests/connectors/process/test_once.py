"""One key, one run: whenever the creating process dies, and however many create at once."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from connectors.process import ProcessSettings
from connectors.process.folder import JobsFolder
from connectors.process.launch import Launcher
from connectors.process.plan import make_plan
from connectory.connector.contract import Phase
from tests.connectors.process.conftest import Jobs

SCRIPT = 'echo run >>"$1"; echo done'

CREATOR = """
import os, signal, sys
from pathlib import Path
from connectors.process import folder, launch
from tests.connectors.process.conftest import Jobs

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def after(function):
    def dying(*args, **kwargs):
        function(*args, **kwargs)
        die()
    return dying

def half(pipe, data):
    pipe.write(data[: len(data) // 2])
    die()

point = sys.argv[3]
if point == "before the folder":
    folder.JobFolder.make = die
elif point == "after the folder":
    folder.JobFolder.make = after(folder.JobFolder.make)
elif point == "after the notes":
    folder.JobFolder.store = after(folder.JobFolder.store)
elif point == "after the supervisor's start":
    launch.Launcher._spawn = after(launch.Launcher._spawn)
elif point == "amid the plan":
    launch._send = half
elif point == "after the plan":
    launch._send = after(launch._send)
elif point == "after the claim":
    launch._answer = after(launch._answer)

jobs = Jobs(folder=Path(sys.argv[1]), output_prefix="")
jobs.create(sys.argv[4], sys.argv[2], shell=True, outputs={"stdout": str})
die()
"""

POINTS = [
    "before the folder",
    "after the folder",
    "after the notes",
    "after the supervisor's start",
    "amid the plan",
    "after the plan",
    "after the claim",
    "after the handle",
]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("asks_first", [True, False], ids=["find, then create", "create again"])
def test_a_create_killed_at_any_point_and_repeated_runs_the_command_once(
    jobs: Jobs, point: str, asks_first: bool
) -> None:
    runs = jobs.folder.parent / "runs"
    arguments = [str(jobs.folder), str(runs), point, SCRIPT]
    creator = subprocess.run([sys.executable, "-c", CREATOR, *arguments], check=False)
    assert creator.returncode == -signal.SIGKILL

    context = jobs.context(SCRIPT, str(runs), shell=True, outputs={"stdout": str})
    job = jobs.connector.find("key", context) if asks_first else None
    if point == "after the handle" and asks_first:
        assert job is not None
    job = job or jobs.connector.create(context)
    jobs.created.append(job)

    resource = jobs.wait(job)
    assert (resource.phase, resource.outputs) == (Phase.SUCCEEDED, {"stdout": "done\n"})
    assert runs.read_text() == "run\n"


def test_a_supervisor_that_comes_after_find_answered_none_runs_nothing(jobs: Jobs) -> None:
    runs = jobs.folder.parent / "runs"
    JobsFolder(jobs.folder).open()
    context = jobs.context(SCRIPT, str(runs), shell=True)
    folder = JobsFolder(jobs.folder).of_key("key")
    folder.make()
    plan = make_plan(context, folder, ProcessSettings(folder=jobs.folder))

    assert jobs.connector.find("key", context) is None
    folder.make()
    assert folder.seal().is_void
    Launcher().launch(folder.path, plan)

    assert not runs.exists()
    assert jobs.connector.find("key", context) is None


def test_what_find_found_is_what_create_answers(jobs: Jobs) -> None:
    job = jobs.create("sleep", "1000")

    assert jobs.another_server().find("key", jobs.context("true")) == job
    assert jobs.another_server().create(jobs.context("sleep", "1000")) == job


def test_creates_at_once_with_one_key_are_one_job(jobs: Jobs) -> None:
    runs = jobs.folder.parent / "runs"
    servers = [jobs.another_server() for _ in range(8)]
    context = jobs.context(SCRIPT, str(runs), shell=True)
    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(lambda server: server.create(context), servers))
    jobs.created.extend(created)

    assert len(set(created)) == 1
    jobs.wait(created[0])
    assert runs.read_text() == "run\n"


def test_other_keys_are_other_jobs(jobs: Jobs) -> None:
    runs = jobs.folder.parent / "runs"
    first, second = (jobs.create(SCRIPT, str(runs), shell=True, key=key) for key in ("a", "b"))

    for job in (first, second):
        jobs.wait(job)
    assert first.job_id != second.job_id
    assert runs.read_text() == "run\nrun\n"


def test_ended_supervisors_do_not_stay_as_zombies(jobs: Jobs) -> None:
    created = [jobs.create("true", key=str(number)) for number in range(5)]
    for job in created:
        jobs.wait(job)

    for job in created:
        with pytest.raises(ProcessLookupError):
            os.kill(job.pid, 0)
