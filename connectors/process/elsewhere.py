"""Jobs of this machine whose folders a server does not have: another one, with other settings, has started them."""

import signal
from pathlib import Path

from connectors.process.config import ProcessJob
from connectors.process.identity import ProcessIdentity
from connectors.process.supervisor import members, start_ticks
from connectory.errors import UnavailableError

__all__ = ["end_elsewhere", "end_members", "require_nowhere"]

_KILL_SECONDS = 5.0
_NO_JOB = "-"


def require_nowhere(job: ProcessJob, folder: Path) -> None:
    """Raise when the job runs, although its folder is not below this one: it must not be taken for one that is gone."""
    if _running(job):
        raise UnavailableError(
            "a server with another CONNECTORY_PROCESS_DIR or CONNECTORY_HOME runs it; ask that server. The folder of"
            f" process job {job.job_id} is not below {folder}"
        )


def end_elsewhere(job: ProcessJob, patience: float) -> None:
    """End every process of the job, and confirm it; its supervisor notes it in the folder that it knows."""
    running = _running(job)
    if not running:
        return
    supervisor = ProcessIdentity(pid=job.pid, start=job.start, boot=job.boot)
    if set(running) & set(members(_NO_JOB, since=job.start, root=job.pid)) and not supervisor.end(
        signal.SIGTERM, patience
    ):
        raise UnavailableError(f"process job {job.job_id} is still ending; ask again")
    end_members(job.job_id, supervisor)


def end_members(job_id: str, supervisor: ProcessIdentity) -> None:
    """Kill whatever carries the job's marker, and confirm it. What is not of this boot has ended."""
    if not supervisor.of_this_boot:
        return
    for pid in members(job_id, since=supervisor.start):
        member = ProcessIdentity(pid=pid, start=start_ticks(pid) or 0, boot=supervisor.boot)
        if not member.end(signal.SIGKILL, _KILL_SECONDS):
            raise UnavailableError(f"process {pid} of job {job_id} is still ending; ask again")


def _running(job: ProcessJob) -> list[int]:
    """What runs of the job, by its marker."""
    supervisor = ProcessIdentity(pid=job.pid, start=job.start, boot=job.boot)
    return members(job.job_id, since=job.start) if supervisor.of_this_boot else []
