"""From what a connector service answers to what the runner is told."""

import json
from dataclasses import replace

from connectory.connector.configs import plain
from connectory.connector.contract import LogLink, Phase
from connectory.errors import (
    AmbiguousError,
    ConnectorError,
    InternalError,
    InvalidTaskError,
    NotFoundError,
    RateLimitedError,
    UnsupportedError,
    UserError,
)
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import execution_pb2
from workflow_runner.engine.failures import FailureKind
from workflow_runner.plugins.patience import LONGEST_PAUSE
from workflow_runner.plugins.phases import PhaseInfo

__all__ = ["failure_of_error", "info_of_resource", "unknown_phase"]

_STATES = {
    pb.State.RETRYABLE_FAILURE: Phase.RETRYABLE_FAILED,
    pb.State.PERMANENT_FAILURE: Phase.FAILED,
    pb.State.PENDING: Phase.QUEUED,
    pb.State.RUNNING: Phase.RUNNING,
    pb.State.SUCCEEDED: Phase.SUCCEEDED,
}
_MOST_FACTS = 4096
_GOING_ON = frozenset({Phase.QUEUED, Phase.RUNNING, Phase.INITIALIZING, Phase.WAITING_FOR_RESOURCES})


def info_of_resource(resource: pb.Resource) -> PhaseInfo:
    """What a job's state means for its attempt. A phase that nobody knows means that the job goes on."""
    info = _info(resource)
    return replace(info, facts=_facts(resource)) if resource.HasField("custom_info") else info


def _facts(resource: pb.Resource) -> str:
    """What people are shown of the external system. They are no data, so there may not be much of it."""
    facts = plain(resource.custom_info)
    try:
        text = json.dumps(facts, ensure_ascii=False, allow_nan=False) if facts else ""
    except ValueError:
        return json.dumps({"custom_info": "left out: it has a number that JSON does not have"})
    return text if len(text) <= _MOST_FACTS else json.dumps({"custom_info": f"left out: {len(text)} characters"})


def _info(resource: pb.Resource) -> PhaseInfo:
    phase = _phase(resource)
    links = tuple(LogLink(uri=link.uri, name=link.name, ready=link.ready) for link in resource.log_links)
    if phase is Phase.SUCCEEDED:
        return PhaseInfo.success(resource.outputs, message=resource.message, log_links=links)
    if not phase.is_terminal:
        return PhaseInfo(phase=phase, message=resource.message, log_links=links)
    error = resource.agent_error
    message = resource.message or error.code or f"the job ended with phase {phase.name}"
    kind: FailureKind = "system" if error.origin == execution_pb2.ExecutionError.SYSTEM else "user"
    if phase is Phase.ABORTED:
        return PhaseInfo.aborted(message, code=error.code or "JOB_ABORTED", log_links=links)
    recoverable = phase is Phase.RETRYABLE_FAILED or (
        resource.HasField("agent_error") and error.kind == pb.ConnectorError.RECOVERABLE
    )
    made = PhaseInfo.retryable_failure if recoverable else PhaseInfo.permanent_failure
    return made(error.code or "JOB_FAILED", message, kind=kind, log_links=links)


def unknown_phase(resource: pb.Resource) -> int | None:
    """The number of a phase that nobody knows; None when it is known."""
    number = int(resource.phase)
    if number == Phase.UNDEFINED and resource.state in _STATES and resource.state != pb.State.RETRYABLE_FAILURE:
        return None
    return None if number != Phase.UNDEFINED and number in set(Phase) else number


def failure_of_error(error: ConnectorError) -> PhaseInfo:
    """What an error that asking again won't mend means for an attempt that has no job."""
    message = _sentence(error)
    if isinstance(error, UserError | InvalidTaskError | NotFoundError | UnsupportedError):
        return PhaseInfo.permanent_failure(error.reason, message, kind="user")
    if isinstance(error, AmbiguousError):
        text = f"whether the job was created cannot be known, so it is not created again; look for it first: {message}"
        return PhaseInfo.permanent_failure(error.reason, text, kind="system")
    if isinstance(error, InternalError | RateLimitedError):
        after = min(error.retry_after.total_seconds(), LONGEST_PAUSE) if error.retry_after is not None else 0.0
        return PhaseInfo.retryable_failure(error.reason, message, kind="system", retry_after=after)
    return PhaseInfo.permanent_failure(error.reason, message, kind="system")


def _phase(resource: pb.Resource) -> Phase:
    number = int(resource.phase)
    if number == Phase.UNDEFINED and resource.state != pb.State.RETRYABLE_FAILURE:
        return _STATES.get(resource.state, Phase.RUNNING)  # what connectors of an older age fill in
    try:
        phase = Phase(number)
    except ValueError:
        return Phase.RUNNING
    return phase if phase in _GOING_ON or phase.is_terminal else Phase.RUNNING


def _sentence(error: ConnectorError) -> str:
    fields = "; ".join(f"{path}: {problem}" for path, problem in error.fields.items() if problem not in error.message)
    text = error.message or error.reason
    return f"{text} ({fields})" if fields else text
