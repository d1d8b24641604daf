"""When a node came, began and ended, and where it is: what lists choose by."""

from dataclasses import dataclass

from connectory.v1 import execution_pb2
from workflow_runner.control.phases import node_phase
from workflow_runner.control.pictures import Picture
from workflow_runner.engine.state import NodeState

__all__ = ["NodeTimes", "phase_of", "times_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeTimes:
    """When a node came, began, changed and ended, in seconds since 1970 (UTC)."""

    created_at: float
    started_at: float | None
    updated_at: float
    ended_at: float | None

    @property
    def duration(self) -> float:
        """From its beginning to its end, in seconds; 0 while it has not ended."""
        return self.ended_at - self.started_at if self.ended_at is not None and self.started_at is not None else 0.0


def times_of(picture: Picture, node: NodeState) -> NodeTimes:
    """The times of a node; it began with its first attempt."""
    attempts = picture.history.attempts.get(node.path, ())
    created = node.queued_at or picture.state.started_at or 0.0
    ended = node.ended_at if node.phase.is_terminal else None
    return NodeTimes(
        created_at=created,
        started_at=attempts[0].started_at if attempts else node.started_at,
        updated_at=ended or node.started_at or created,
        ended_at=ended,
    )


def phase_of(picture: Picture, node: NodeState) -> execution_pb2.NodeExecution.Phase.ValueType:
    """The phase of a node."""
    return node_phase(node, expanded=node.path in picture.history.expansions and node.path in picture.state.scopes)
