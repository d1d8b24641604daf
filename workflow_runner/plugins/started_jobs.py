"""The job that a connector started for an attempt, found in what the attempt's plugin remembers."""

from dataclasses import dataclass

import msgspec

from connectory.v1 import tasks_pb2
from workflow_runner.plugins.container.kept import JobMemory, Kept
from workflow_runner.plugins.knowledge import ConnectorJob
from workflow_runner.plugins.memory import AttemptMemory
from workflow_runner.plugins.services import Service

__all__ = ["StartedJob", "started_job"]


@dataclass(frozen=True, kw_only=True)
class StartedJob:
    """A job, and the task as its connector was asked to carry it out."""

    template: tasks_pb2.TaskTemplate
    handle: bytes
    asked: Service | None
    """The service that was asked for it, where that is not the one that its execution asked first."""


def started_job(memory: AttemptMemory, template: tasks_pb2.TaskTemplate) -> StartedJob | None:
    """The job of an attempt of this task; None when its plugin remembers none, or has no jobs of connectors."""
    try:
        job = ConnectorJob.of(memory)
    except msgspec.ValidationError:
        return _of_container(memory)
    return StartedJob(template=template, handle=job.handle, asked=job.asked) if job is not None else None


def _of_container(memory: AttemptMemory) -> StartedJob | None:
    try:
        kept = memory.read(Kept)
    except msgspec.ValidationError:
        return None
    job = ConnectorJob.of(JobMemory(memory, kept)) if kept is not None else None
    if kept is None or job is None:
        return None
    template = tasks_pb2.TaskTemplate.FromString(kept.template)
    return StartedJob(template=template, handle=job.handle, asked=job.asked)
