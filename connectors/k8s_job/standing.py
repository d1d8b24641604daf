"""Where a Job is that has not ended, by its pod."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from connectors.k8s_job.config import KubernetesJob
from connectors.k8s_job.pod import BRING, DELIVER
from connectory.connector.contract import Phase

__all__ = ["Standing", "condition_of", "container_statuses", "standing_of", "time_of"]

_HOPELESS: Final = frozenset({"InvalidImageName"})
_TROUBLE: Final = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "RegistryUnavailable",
        "RunContainerError",
        *_HOPELESS,
    }
)
"""Why a container waits, when that does not pass by itself."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A phase with its reason; `given_up` when there is no more patience with it."""

    phase: Phase
    message: str
    given_up: bool = False


def standing_of(job: KubernetesJob, made: Mapping[str, Any], pod: Mapping[str, Any] | None, now: datetime) -> Standing:
    """Where the Job is, that was `made` so and has this pod."""
    if made["metadata"].get("deletionTimestamp"):
        return Standing(phase=Phase.RUNNING, message="the Job is being deleted")
    if pod is None:
        waited = _seconds(made["metadata"]["creationTimestamp"], now)
        text = "the Job has no pod yet"
        return Standing(phase=Phase.QUEUED, message=text, given_up=waited > job.schedule_seconds)
    scheduled = condition_of(pod, "PodScheduled")
    if scheduled.get("status") != "True":
        return _unscheduled(job, pod, scheduled, now)
    if pod["metadata"].get("deletionTimestamp"):
        why = condition_of(pod, "DisruptionTarget")
        said = f" ({why['reason']}: {why.get('message', '')})" if why else ""
        return Standing(phase=Phase.RUNNING, message=f"the pod is being deleted{said}")
    if pod["status"].get("phase") == "Unknown":
        return Standing(phase=Phase.RUNNING, message="the pod's node does not answer")
    return _started(job, pod) or _starting(job, pod, _seconds(scheduled["lastTransitionTime"], now))


def container_statuses(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What is known of each container, in the order in which they run."""
    for kind in ("initContainerStatuses", "containerStatuses"):
        yield from pod.get("status", {}).get(kind) or ()


def time_of(text: str) -> datetime:
    """A time as Kubernetes writes it."""
    return datetime.fromisoformat(text)


def _unscheduled(job: KubernetesJob, pod: Mapping[str, Any], scheduled: Mapping[str, Any], now: datetime) -> Standing:
    given_up = _seconds(pod["metadata"]["creationTimestamp"], now) > job.schedule_seconds
    if scheduled.get("reason") == "Unschedulable":
        text = f"no node takes the pod: {scheduled.get('message', '')}"
        return Standing(phase=Phase.WAITING_FOR_RESOURCES, message=text, given_up=given_up)
    return Standing(phase=Phase.QUEUED, message="the pod waits for a node", given_up=given_up)


def _started(job: KubernetesJob, pod: Mapping[str, Any]) -> Standing | None:
    """What a running container says of the Job; None when none of ours has begun."""
    running = {status["name"] for status in container_statuses(pod) if "running" in status.get("state", {})}
    if job.container in running:
        return Standing(phase=Phase.RUNNING, message="running")
    if DELIVER in running:
        return Standing(phase=Phase.RUNNING, message="delivers the outputs")
    if BRING in running:
        return Standing(phase=Phase.INITIALIZING, message="brings the inputs")
    own = [status for status in container_statuses(pod) if status["name"] == job.container]
    if any("terminated" in status.get("state", {}) for status in own):
        return Standing(phase=Phase.RUNNING, message="ends")
    return None


def _starting(job: KubernetesJob, pod: Mapping[str, Any], waited: float) -> Standing:
    for status in container_statuses(pod):
        waiting = status.get("state", {}).get("waiting") or {}
        reason = waiting.get("reason", "")
        if reason in _TROUBLE:
            text = f"the container {status['name']} cannot start: {reason}: {waiting.get('message', '')}".rstrip(": ")
            given_up = reason in _HOPELESS or waited > job.start_seconds
            return Standing(phase=Phase.INITIALIZING, message=text, given_up=given_up)
    return Standing(phase=Phase.INITIALIZING, message="the pod starts", given_up=waited > job.schedule_seconds)


def condition_of(pod: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The pod's condition of this kind; empty: it has none."""
    conditions = pod.get("status", {}).get("conditions") or ()
    return next((one for one in conditions if one["type"] == kind), {})


def _seconds(since: str, now: datetime) -> float:
    return (now - time_of(since)).total_seconds()
