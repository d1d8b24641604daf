"""A connector's report about a job as the message that crosses the wire."""

from datetime import timedelta
from typing import Final

from connectory.connector.configs import plain
from connectory.connector.contract import JobError, Phase, Resource
from connectory.connector.redaction import Redactor
from connectory.connector.registry import Registration
from connectory.connector.structs import fill_struct
from connectory.errors import InternalError
from connectory.texts import clipped, sendable
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import execution_pb2

__all__ = ["describe", "known_phase", "without_secrets"]

MESSAGE_LIMIT: Final = 8_000
"""Longer messages lose their middle: what happened is told at the beginning, why often at the end."""

_STATES: Final = {
    Phase.QUEUED: pb.PENDING,
    Phase.INITIALIZING: pb.PENDING,
    Phase.WAITING_FOR_RESOURCES: pb.PENDING,
    Phase.RUNNING: pb.RUNNING,
    Phase.SUCCEEDED: pb.SUCCEEDED,
    Phase.RETRYABLE_FAILED: pb.RETRYABLE_FAILURE,
    Phase.FAILED: pb.PERMANENT_FAILURE,
    Phase.ABORTED: pb.PERMANENT_FAILURE,
}
_ORIGINS: Final = {
    "user": execution_pb2.ExecutionError.USER,
    "system": execution_pb2.ExecutionError.SYSTEM,
    "unknown": execution_pb2.ExecutionError.UNKNOWN,
}
_FAILURES: Final = frozenset({Phase.FAILED, Phase.RETRYABLE_FAILED, Phase.ABORTED})


def known_phase(number: int, registration: Registration, unknown: set[tuple[str, int]]) -> Phase:
    """The phase with this number. One that nobody knows means that the job is still running, and is logged once."""
    if type(number) is Phase:
        phase = number
    else:
        try:
            phase = Phase(number)
        except ValueError:
            phase = Phase.UNDEFINED
    if phase is not Phase.UNDEFINED:
        return phase
    if (registration.name, int(number)) not in unknown:
        unknown.add((registration.name, int(number)))
        registration.logger.warning(
            "connector %s reports phase %s, which nobody knows; it counts as RUNNING", registration.name, int(number)
        )
    return Phase.RUNNING


def describe(message: pb.Resource, resource: Resource, phase: Phase, registration: Registration) -> None:
    """Say in an empty message all that a report says but its outputs.

    An error that may go away with another attempt makes FAILED a RETRYABLE_FAILED.
    """
    error = resource.error
    if error is not None and error.recoverable and phase is Phase.FAILED:
        phase = Phase.RETRYABLE_FAILED
    message.phase = phase.value  # type: ignore[assignment]  # the numbers are the same
    message.state = _STATES[phase]
    redactor = registration.redactor
    if resource.message or error is not None:
        text = _text(resource.message, error)
        message.message = clipped(sendable(redactor.text(text) if redactor else text), MESSAGE_LIMIT)
    for link in resource.log_links:
        uri, name = (redactor.text(link.uri), redactor.text(link.name)) if redactor else (link.uri, link.name)
        message.log_links.add(uri=sendable(uri), name=sendable(name), ready=link.ready)
    if resource.poll_after is not None and not phase.is_terminal:
        message.poll_after.FromTimedelta(max(resource.poll_after, timedelta()))
    if resource.custom_info is not None:
        _fill_custom_info(message, resource, registration)
    if error is not None and phase in _FAILURES:
        kind = pb.ConnectorError.RECOVERABLE if phase is Phase.RETRYABLE_FAILED else pb.ConnectorError.NON_RECOVERABLE
        code = redactor.text(error.code) if redactor else error.code
        message.agent_error.CopyFrom(pb.ConnectorError(code=sendable(code), kind=kind, origin=_ORIGINS[error.kind]))


def without_secrets(message: pb.Resource, redactor: Redactor) -> pb.Resource:
    """The message, whose texts are changed where they hold a secret."""
    if redactor:
        message.message = redactor.text(message.message)
        for link in message.log_links:
            link.uri, link.name = redactor.text(link.uri), redactor.text(link.name)
        if message.HasField("custom_info"):
            info = redactor.value(plain(message.custom_info))
            message.custom_info.Clear()
            fill_struct(message.custom_info, info, "custom_info")
            message.custom_info.SetInParent()
        if message.HasField("agent_error"):
            message.agent_error.code = redactor.text(message.agent_error.code)
    return message


def _fill_custom_info(message: pb.Resource, resource: Resource, registration: Registration) -> None:
    info = dict(resource.custom_info or {})
    try:
        fill_struct(
            message.custom_info, registration.redactor.value(info) if registration.redactor else info, "custom_info"
        )
    except ValueError as error:
        raise InternalError(f"connector {registration.name} reports something that cannot be sent: {error}") from error
    message.custom_info.SetInParent()


def _text(message: str, error: JobError | None) -> str:
    """Old and v2 clients see no structured error, so the text says it too."""
    if error is None:
        return message
    said = f"{error.code}: {error.message}" if error.message else error.code
    if not message:
        return said
    return message if (error.message or error.code) in message else f"{message} ({said})"
