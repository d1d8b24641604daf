"""Attempts that wait until they run: for a place here, then for what they need outside."""

from workflow_runner.engine.draft import Draft
from workflow_runner.engine.state import NodePhase, NodeState

__all__ = ["leave_queue", "wait_in_queue"]


def wait_in_queue(draft: Draft, node: NodeState) -> NodeState:
    """The attempt waits from now on."""
    limit = node.spec.limits.queue
    if limit is None:
        return node
    node = draft.change(node, queue_deadline=draft.now + limit)
    draft.set_timer("queue", node, limit, draft.now + limit)
    return node


def leave_queue(draft: Draft, node: NodeState) -> None:
    """A node that is to end waits for no place any more."""
    if node.phase is NodePhase.QUEUED and node.path in draft.queue:
        draft.queue.remove(node.path)
