"""What is told to whom when an execution has ended."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from connectory.errors import ConnectoryError
from connectory.v1 import control_pb2, execution_pb2, launch_plan_pb2

__all__ = ["Ended", "NotSentError", "Notice", "Send", "notices_of"]

Way = Literal["email", "slack", "pager_duty"]
_WAYS: Final[Sequence[Way]] = ("email", "slack", "pager_duty")
_CLIP: Final = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """An execution that has ended. Times are seconds since 1970 (UTC)."""

    id: str
    project: str
    domain: str
    name: str
    workflow: str
    launch_plan: str
    phase: str
    error: str
    started_at: float
    ended_at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """One message."""

    way: Way
    recipients: tuple[str, ...]
    subject: str
    text: str


class NotSentError(ConnectoryError):
    """A message could not be sent; `lasting` when trying again is of no use."""

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


Send = Callable[[Notice], Awaitable[None]]
"""Sends a message, or raises NotSentError."""


def notices_of(
    ended: Ended, spec: control_pb2.ExecutionSpec, plan: Iterable[launch_plan_pb2.Notification]
) -> Sequence[Notice]:
    """The messages that an execution, or else its launch plan, asks for at this end."""
    which = spec.WhichOneof("notification_overrides")
    wanted = {"notifications": spec.notifications.notifications, "disable_all": ()}.get(which or "", plan)
    phase = execution_pb2.WorkflowExecution.Phase.Value(ended.phase)
    return [_notice(ended, each) for each in wanted if phase in each.phases and each.WhichOneof("type")]


def _notice(ended: Ended, asked: launch_plan_pb2.Notification) -> Notice:
    way = next(way for way in _WAYS if way == asked.WhichOneof("type"))
    recipients = [*asked.email.recipients_email, *asked.slack.recipients_email, *asked.pager_duty.recipients_email]
    what = ended.launch_plan or ended.workflow
    lines = [
        f"Execution {ended.name} of {what} in {ended.project}, {ended.domain} has ended: {ended.phase}.",
        f"It took {_duration(ended.ended_at - ended.started_at)}.",
    ]
    if ended.error:
        lines += ["", ended.error if len(ended.error) <= _CLIP else f"{ended.error[:_CLIP]} …"]
    return Notice(
        way=way, recipients=tuple(recipients), subject=f"{ended.phase}: {what} ({ended.name})", text="\n".join(lines)
    )


def _duration(seconds: float) -> str:
    whole = max(round(seconds), 0)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    parts = [f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min"), (left, "s")) if number]
    return " ".join(parts) or "less than a second"
