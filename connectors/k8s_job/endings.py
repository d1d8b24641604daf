"""From how a Job ended to what the caller is told."""

import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from connectors.k8s_job.config import KubernetesJob
from connectors.k8s_job.identity import GIVEN_UP
from connectors.k8s_job.pod import BRING, DELIVER
from connectors.k8s_job.standing import condition_of, container_statuses
from connectory.connector.contract import JobError, Phase, Resource

__all__ = ["ended", "failed", "failure"]

_LONGEST: Final = 2000
_SIGNALLED: Final = 128
_FROM_OUTSIDE: Final = (signal.SIGKILL, signal.SIGTERM)
"""Signals that a program does not get from its own defects."""
_DISRUPTED: Final = re.compile(r"\bhas condition DisruptionTarget\b")
_EXITED: Final = re.compile(r"\bContainer (?P<name>\S+) for pod \S+ failed with exit code (?P<code>\d+)")
_TAKEN: Final = frozenset({"Evicted", "NodeAffinity", "NodeLost", "NodeShutdown", "Preempting", "Terminated"})
"""Why a kubelet ends a pod that did nothing wrong."""
_CARRIERS: Final = {
    BRING: ("InputsNotBrought", "the inputs could not be brought"),
    DELIVER: ("OutputsNotDelivered", "the outputs could not be delivered"),
}


@dataclass(frozen=True, kw_only=True)
class _Exit:
    """How a container ended."""

    name: str
    code: int
    reason: str = ""
    said: str = ""


def ended(made: Mapping[str, Any]) -> str:
    """`Complete` or `Failed` when the Job has ended with all its pods; empty: it has not."""
    conditions = made.get("status", {}).get("conditions") or ()
    kinds = [one["type"] for one in conditions if one["status"] == "True"]
    return next((kind for kind in ("Complete", "Failed") if kind in kinds), "")


def failure(
    job: KubernetesJob, made: Mapping[str, Any], pod: Mapping[str, Any] | None, info: Mapping[str, Any]
) -> Resource:
    """What a failed Job means. Its own condition says it where its pod is gone."""
    given_up = made["metadata"].get("annotations", {}).get(GIVEN_UP)
    if given_up:
        return failed("NotStarted", given_up, info)
    condition = next(one for one in made["status"]["conditions"] if one["type"] == "Failed")
    message = condition.get("message", "")
    if condition.get("reason") == "DeadlineExceeded":
        text = f"ended after its active_deadline_seconds ({made['spec'].get('activeDeadlineSeconds')} s)"
        return failed("TimeLimit", text, info)
    taken = _taken(pod) if pod is not None else ""
    if taken or _DISRUPTED.search(message):
        text = f"the pod was taken from its node: {taken or message}"
        return failed("Evicted", text, info, kind="system", retry=True)
    found = _exit_of_pod(job, pod) if pod is not None else _exit_in(message)
    if found is None:
        text = f"the pod is gone: somebody deleted it, or it went with its node ({message})"
        return failed("PodLost", text, info, kind="system", retry=True)
    return _exited(job, found, {**info, "exit_code": found.code})


def failed(code: str, message: str, info: Mapping[str, Any], *, kind: Any = "user", retry: bool = False) -> Resource:
    """A failed Job's report."""
    phase = Phase.RETRYABLE_FAILED if retry else Phase.FAILED
    error = JobError(code=code, message=message, kind=kind, recoverable=retry)
    return Resource(phase=phase, message=message, error=error, custom_info=info)


def _exited(job: KubernetesJob, found: _Exit, info: Mapping[str, Any]) -> Resource:
    if found.reason == "OOMKilled":
        text = f"the container {found.name} used more memory than its limit"
        return failed("OutOfMemory", text, info, retry=True)
    if job.carried and found.name in _CARRIERS:
        code, text = _CARRIERS[found.name]
        return failed(code, _with(text, found.said), info, kind="system", retry=True)
    number = found.code - _SIGNALLED
    if number in _FROM_OUTSIDE:
        text = f"ended by {signal.Signals(number).name}"
        return failed("Signal", _with(text, found.said), info, kind="system", retry=True)
    if found.reason in ("StartError", "ContainerCannotRun"):
        return failed("CannotStart", _with("the command cannot be started", found.said), info)
    text = f"exit code {found.code}" if found.name == job.container else f"exit code {found.code} of {found.name}"
    return failed("ExitCode", _with(text, found.said), info, retry=found.code in job.retryable_exit_codes)


def _taken(pod: Mapping[str, Any]) -> str:
    """Why the pod was taken from its node; empty: it was not."""
    status = pod["status"]
    disrupted = condition_of(pod, "DisruptionTarget")
    if disrupted.get("status") == "True":
        return ": ".join(filter(None, (disrupted.get("reason"), disrupted.get("message"))))
    if status.get("reason") in _TAKEN:
        return ": ".join(filter(None, (status["reason"], status.get("message"))))
    return ""


def _exit_of_pod(job: KubernetesJob, pod: Mapping[str, Any]) -> _Exit | None:
    """How the first container ended that did not end well; of those that run beside the program only if it did."""
    decisive = (job.container, *_CARRIERS)
    for status in sorted(container_statuses(pod), key=lambda status: status["name"] not in decisive):
        end = status.get("state", {}).get("terminated")
        if end and end["exitCode"] != 0:
            return _Exit(
                name=status["name"],
                code=end["exitCode"],
                reason=end.get("reason", ""),
                said=end.get("message", "").strip()[-_LONGEST:],
            )
    return None


def _exit_in(message: str) -> _Exit | None:
    match = _EXITED.search(message)
    return None if match is None else _Exit(name=match["name"], code=int(match["code"]))


def _with(text: str, said: str) -> str:
    return f"{text}: {said}" if said else text
