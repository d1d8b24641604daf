"""How long a node may take."""

from workflow_runner.engine.graph import NodeSpec

__all__ = ["attempt_timeout", "queue_timeout", "sleep_time", "total_timeout"]


def attempt_timeout(spec: NodeSpec) -> float | None:
    """How many seconds one attempt may run; None: any time. The node's word counts before the task's, a 0 too."""
    metadata = spec.node.metadata
    if metadata.HasField("timeout"):
        return metadata.timeout.ToTimedelta().total_seconds() or None
    if spec.task is not None and spec.task.metadata.HasField("timeout"):
        return spec.task.metadata.timeout.ToTimedelta().total_seconds() or None
    return None


def queue_timeout(spec: NodeSpec) -> float | None:
    """How many seconds an attempt may wait until it runs, for a place here and then for what it needs outside."""
    if spec.task is None or not spec.task.metadata.timeouts.HasField("queued_timeout"):
        return None
    return spec.task.metadata.timeouts.queued_timeout.ToTimedelta().total_seconds() or None


def total_timeout(spec: NodeSpec) -> float | None:
    """How many seconds the node may take from when it could run, all attempts and waits included; None: any time."""
    if spec.task is None or not spec.task.metadata.timeouts.HasField("deadline"):
        return None
    return spec.task.metadata.timeouts.deadline.ToTimedelta().total_seconds() or None


def sleep_time(spec: NodeSpec) -> float:
    """How many seconds a gate that sleeps is closed."""
    return spec.gate.sleep.duration.ToTimedelta().total_seconds() if spec.gate is not None else 0.0
