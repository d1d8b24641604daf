"""Whom a launch plan tells how its executions end."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from connectory.authoring.location import authoring_error
from connectory.v1 import execution_pb2, launch_plan_pb2

__all__ = ["Email", "Notification", "PagerDuty", "Slack", "WorkflowExecutionPhase"]

_Phase = execution_pb2.WorkflowExecution.Phase


class WorkflowExecutionPhase(enum.IntEnum):
    """Where an execution of a workflow is."""

    UNDEFINED = _Phase.UNDEFINED
    QUEUED = _Phase.QUEUED
    RUNNING = _Phase.RUNNING
    SUCCEEDING = _Phase.SUCCEEDING
    SUCCEEDED = _Phase.SUCCEEDED
    FAILING = _Phase.FAILING
    FAILED = _Phase.FAILED
    ABORTED = _Phase.ABORTED
    TIMED_OUT = _Phase.TIMED_OUT
    ABORTING = _Phase.ABORTING


_FINAL = frozenset({_Phase.SUCCEEDED, _Phase.FAILED, _Phase.ABORTED, _Phase.TIMED_OUT})


@dataclass(frozen=True)
class Notification:
    """Addresses that are told when an execution ends in one of these phases."""

    phases: Sequence[int]
    recipients_email: Sequence[str]

    def __post_init__(self) -> None:
        who = type(self).__name__
        for role in ("phases", "recipients_email"):
            given = getattr(self, role)
            if isinstance(given, str) or not isinstance(given, Sequence) or not given:
                raise authoring_error(f"{role} of {who} is {given!r}; give a list with at least one entry")
        for phase in self.phases:
            if phase not in _FINAL:
                raise authoring_error(
                    f"{who} is given the phase {phase!r}; only ends are told: WorkflowExecutionPhase.SUCCEEDED, "
                    "FAILED, ABORTED, TIMED_OUT"
                )
        for address in self.recipients_email:
            if not isinstance(address, str) or not address:
                raise authoring_error(f"{who} is given the recipient {address!r}; give an address of mail")

    def to_proto(self) -> launch_plan_pb2.Notification:
        """The notification as a launch plan carries it."""
        raise authoring_error("say how to notify: Email, Slack or PagerDuty")


class Email(Notification):
    """By mail."""

    def to_proto(self) -> launch_plan_pb2.Notification:
        """The notification as a launch plan carries it."""
        told = launch_plan_pb2.EmailNotification(recipients_email=self.recipients_email)
        return launch_plan_pb2.Notification(phases=_phases(self), email=told)


class Slack(Notification):
    """By the mail address of a channel of Slack."""

    def to_proto(self) -> launch_plan_pb2.Notification:
        """The notification as a launch plan carries it."""
        told = launch_plan_pb2.SlackNotification(recipients_email=self.recipients_email)
        return launch_plan_pb2.Notification(phases=_phases(self), slack=told)


class PagerDuty(Notification):
    """By the mail address of a service of PagerDuty."""

    def to_proto(self) -> launch_plan_pb2.Notification:
        """The notification as a launch plan carries it."""
        told = launch_plan_pb2.PagerDutyNotification(recipients_email=self.recipients_email)
        return launch_plan_pb2.Notification(phases=_phases(self), pager_duty=told)


def _phases(notification: Notification) -> list[_Phase.ValueType]:
    return [_Phase.ValueType(phase) for phase in notification.phases]
