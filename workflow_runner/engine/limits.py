"""How long a node may take."""

from dataclasses import dataclass

from connectory.v1 import tasks_pb2, workflow_pb2

__all__ = ["Limits", "limits_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Times in seconds; None: any time."""

    attempt: float | None
    """How long one attempt may run. The node's word counts before the task's, a 0 too."""
    queue: float | None
    """How long an attempt may wait until it runs, for a place here and then for what it needs outside."""
    total: float | None
    """How long the node may take from when it could run, all attempts and waits included."""


def limits_of(node: workflow_pb2.Node, task: tasks_pb2.TaskTemplate | None) -> Limits:
    """The limits of a node, which may be that of a task."""
    attempt = queue = total = None
    if task is not None:
        timeouts = task.metadata.timeouts
        if task.metadata.HasField("timeout"):
            attempt = task.metadata.timeout.ToTimedelta().total_seconds() or None
        if timeouts.HasField("queued_timeout"):
            queue = timeouts.queued_timeout.ToTimedelta().total_seconds() or None
        if timeouts.HasField("deadline"):
            total = timeouts.deadline.ToTimedelta().total_seconds() or None
    if node.metadata.HasField("timeout"):
        attempt = node.metadata.timeout.ToTimedelta().total_seconds() or None
    return Limits(attempt=attempt, queue=queue, total=total)
