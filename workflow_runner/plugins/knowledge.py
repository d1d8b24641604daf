"""What the connector plugin knows of a job: what it remembers over restarts, and what only this process knows."""

import asyncio
import time
from dataclasses import dataclass, field, replace

import msgspec

from connectory.connector.contract import Phase
from connectory.v1 import connector_pb2 as pb
from workflow_runner.plugins.memory import AttemptMemory
from workflow_runner.plugins.outcomes import info_of_resource, unknown_phase
from workflow_runner.plugins.patience import Patience
from workflow_runner.plugins.phases import PhaseInfo
from workflow_runner.plugins.services import Service
from workflow_runner.plugins.watches import JobWatch

__all__ = ["ConnectorJob", "JobKnowledge"]


class ConnectorJob(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The plugin state: the job's handle, as the service gave it."""

    handle: bytes
    deleted: bool = False
    """Whether its deletion was accepted."""
    asked: Service | None = None
    """The service that was asked for it, where that is not the one that its execution asked first."""
    unanswered: bool = False
    """Whether the service has not answered yet, as far as is known; then there is no handle."""

    @classmethod
    def of(cls, memory: AttemptMemory) -> "ConnectorJob | None":
        """The job that is remembered, once its handle is known."""
        job = memory.read(cls)
        return None if job is None or job.unanswered else job


@dataclass(kw_only=True)
class JobKnowledge:
    """What is known of an attempt in this process only."""

    last_good: float = field(default_factory=time.monotonic)
    interval: float = 0.0
    failures: int = 0
    unknown_since: float | None = None
    """When the job was first reported in a phase that nobody knows; None: its phase is known."""
    may_exist: bool = False
    """Whether there may be a job whose handle is not known."""
    asked: Service | None = None
    """The service that was asked for the job by this process."""
    seen_at: Service | None = None
    """The service that last told how the job stands."""
    elsewhere_since: float | None = None
    """When another service was first met in place of the one that was asked; None: that is not so now."""
    deleted_at: float | None = None
    has_run: bool = False
    """Whether the job was last reported as running."""
    returns: int = 0
    """How often a job that had run was reported as queued again; the version of its phases."""
    execution: "asyncio.Task[pb.Resource] | None" = None
    watch: JobWatch = field(default_factory=JobWatch)
    info: PhaseInfo | None = None
    """How the job stood when that was last known; None: it was not asked about yet."""

    def learn(self, resource: pb.Resource, job: ConnectorJob, patience: Patience) -> PhaseInfo:
        """What a good answer about the job means for its attempt."""
        self.last_good, self.failures = time.monotonic(), 0
        info = self.bounded(resource, info_of_resource(resource), patience)
        if job.deleted and info.phase.is_terminal and info.phase is not Phase.SUCCEEDED:
            message = f"the job, which an earlier execution had deleted, has ended: {info.message}"
            info = PhaseInfo.retryable_failure("JOB_DELETED", message, kind="system")
        self.info = info
        return info

    def until_next_poll(self, resource: pb.Resource, patience: Patience) -> float:
        """Seconds after this answer when the job is to be asked about again."""
        if self.watch.is_live:
            return self.watch.silence(patience)
        if resource.HasField("poll_after"):
            told = resource.poll_after.seconds + resource.poll_after.nanos / 1e9
            return min(max(told, patience.first_poll), patience.longest_told)
        grown = max(self.interval * patience.growth, patience.first_poll)
        self.interval = min(grown, patience.slowest_poll)
        return self.interval

    def bounded(self, resource: pb.Resource, info: PhaseInfo, patience: Patience) -> PhaseInfo:
        """A phase that nobody knows means that the job goes on, and is reported; but not for ever."""
        unknown = unknown_phase(resource)
        if unknown is None:
            self.unknown_since = None
            return info
        self.unknown_since = self.unknown_since or time.monotonic()
        lasted = time.monotonic() - self.unknown_since
        text = f"its connector reports phase {unknown}, which is not known here"
        if lasted > patience.unknown_phase:
            message = f"{text}; that is so for {lasted:.0f} s, so the job is ended"
            return PhaseInfo.retryable_failure("UNKNOWN_PHASE", message, kind="system", live=True)
        return replace(info, message=f"{info.message}; {text}" if info.message else text)

    def in_order(self, info: PhaseInfo) -> PhaseInfo:
        """The same, with a version that says how often the job went back to an earlier phase."""
        if info.phase.is_terminal:
            return info
        running = info.phase is Phase.RUNNING
        if self.has_run and not running:
            self.returns += 1
        self.has_run = running
        return replace(info, version=self.returns) if self.returns else info
