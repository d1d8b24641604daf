"""How jobs are ended, and that nothing of them stays behind."""

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.process import ProcessConnector, ProcessJob, ProcessSettings
from connectors.process.supervisor import members
from connectory.connector.contract import Phase
from connectory.errors import InvalidTaskError, NotFoundError, UnavailableError
from tests.connectors.process.conftest import Jobs, wait_for_end

FAMILY = """
sleep 1000 &
setsid sleep 1000 &
(setsid env -i /bin/sleep 1000 & echo $! >escaped)
echo ready
sleep 1000
"""
STUBBORN = "trap '' TERM; echo ready; while :; do sleep 1000; done"


def running(job: ProcessJob) -> list[int]:
    return members(job.job_id, since=job.start, root=job.pid)


def test_delete_ends_the_command_and_all_its_descendants(jobs: Jobs) -> None:
    job = jobs.create(FAMILY, shell=True)
    jobs.await_output(job, "ready")
    escaped = int((jobs.path(job) / "work" / "escaped").read_text())
    assert len(running(job)) == 5
    assert escaped in running(job)

    jobs.delete(job)

    assert running(job) == []
    with pytest.raises(ProcessLookupError):
        os.kill(escaped, 0)
    assert jobs.get(job).phase == Phase.ABORTED


def test_delete_is_idempotent_also_for_jobs_that_ended_or_never_were(jobs: Jobs) -> None:
    job = jobs.create("true")
    jobs.wait(job)

    jobs.delete(job)
    jobs.delete(job)
    jobs.delete(dataclasses.replace(job, job_id="0" * 32))

    assert jobs.get(job).phase == Phase.SUCCEEDED


def test_a_command_gets_time_to_clean_up_before_it_is_killed(jobs: Jobs) -> None:
    polite = jobs.create(
        "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done", shell=True, key="polite"
    )
    stubborn = jobs.create(STUBBORN, shell=True, key="stubborn", grace_seconds=0.1)
    for job in (polite, stubborn):
        jobs.await_output(job, "ready")
        jobs.delete(job)
        assert running(job) == []
        assert jobs.get(job).phase == Phase.ABORTED

    assert jobs.await_output(polite, "bye")


def test_the_time_limit_ends_the_command_without_anybody_asking(jobs: Jobs) -> None:
    job = jobs.create(STUBBORN, shell=True, time_limit_seconds=0.2, grace_seconds=0.1)
    resource = jobs.wait(job)

    assert resource.phase == Phase.FAILED
    assert resource.message.startswith("ended after its time limit of 0.2 s")
    assert running(job) == []


def test_what_a_command_leaves_running_ends_with_it(jobs: Jobs) -> None:
    job = jobs.create("sleep 1000 & setsid sleep 1000 & exit 0", shell=True)

    assert jobs.wait(job).phase == Phase.SUCCEEDED
    assert running(job) == []


def test_another_server_finds_the_command_and_its_end(jobs: Jobs) -> None:
    job = jobs.create("echo started; read line <wait; exit 4", shell=True, working_dir=str(make_fifo(jobs)))
    later = jobs.another_server()
    assert later.get(job, jobs.job_context()).phase == Phase.RUNNING

    (jobs.folder.parent / "wait").write_text("go\n")
    wait_for_end(job.pid)

    resource = jobs.another_server().get(job, jobs.job_context())
    assert (resource.phase, resource.message) == (Phase.FAILED, "exit code 4")


def make_fifo(jobs: Jobs) -> os.PathLike[str]:
    os.mkfifo(jobs.folder.parent / "wait")
    return jobs.folder.parent


def test_the_command_survives_its_server_killed_with_its_whole_group(jobs: Jobs) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from tests.connectors.process.conftest import Jobs\n"
        "jobs = Jobs(folder=Path(sys.argv[1]), output_prefix='')\n"
        "jobs.create('sleep 0.2; echo survived', shell=True, outputs={'stdout': str})\n"
        "os.killpg(0, signal.SIGKILL)\n"
    )
    server = subprocess.run([sys.executable, "-c", script, str(jobs.folder)], start_new_session=True, check=False)
    assert server.returncode == -signal.SIGKILL

    job = jobs.connector.find("key", jobs.context("true"))
    assert job is not None
    assert jobs.wait(job).outputs == {"stdout": "survived\n"}


def test_a_command_whose_supervisor_was_killed_is_ended_and_may_be_run_again(jobs: Jobs) -> None:
    job = jobs.create(FAMILY.replace("env -i ", ""), shell=True)
    jobs.await_output(job, "ready")
    os.kill(job.pid, signal.SIGKILL)

    resource = jobs.wait(job)

    assert resource.phase == Phase.RETRYABLE_FAILED
    assert resource.error is not None
    assert (resource.error.code, resource.error.kind) == ("SupervisorLost", "system")
    assert members(job.job_id, since=job.start) == []


def test_a_reused_process_id_is_never_taken_for_the_job(jobs: Jobs) -> None:
    job = jobs.create("sleep", "1000")
    stranger = subprocess.Popen(["sleep", "1000"])
    try:
        claim = jobs.path(job) / "claim"
        text = claim.read_text()
        claim.write_text(text.replace(f'"pid": {job.pid}', f'"pid": {stranger.pid}'))
        jobs.delete(job)
        assert stranger.poll() is None
        claim.write_text(text)
    finally:
        stranger.kill()
        stranger.wait()


def test_a_job_of_a_server_with_another_folder_is_neither_gone_nor_left(jobs: Jobs, tmp_path: Path) -> None:
    other = ProcessConnector(ProcessSettings(folder=tmp_path / "another"))
    job = jobs.create(FAMILY, shell=True)
    jobs.await_output(job, "ready")
    with pytest.raises(UnavailableError, match="another CONNECTORY_PROCESS_DIR or CONNECTORY_HOME"):
        other.get(job, jobs.job_context())
    assert len(running(job)) == 5

    other.delete(job, jobs.job_context())

    assert running(job) == []
    with pytest.raises(NotFoundError):
        other.get(job, jobs.job_context())
    assert jobs.get(job).phase == Phase.ABORTED


def test_a_handle_that_names_another_jobs_process_ends_nothing(jobs: Jobs) -> None:
    job = jobs.create(FAMILY, shell=True)
    jobs.await_output(job, "ready")
    jobs.delete(dataclasses.replace(job, job_id="0" * 32))
    assert len(running(job)) == 5
    jobs.delete(job)


def test_a_handle_of_another_machine_or_shape_is_refused(jobs: Jobs) -> None:
    job = jobs.create("true")

    with pytest.raises(NotFoundError, match="started on elsewhere"):
        jobs.get(dataclasses.replace(job, job_id="f" * 32, host="elsewhere"))
    with pytest.raises(InvalidTaskError, match="job_id"):
        jobs.get(dataclasses.replace(job, job_id="../../etc"))
