"""Whether a node that failed is tried once more."""

from workflow_runner.engine.draft import Draft
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.retry import retry_delay
from workflow_runner.engine.state import NodePhase, NodeState

__all__ = ["may_repeat", "repeat"]


def may_repeat(draft: Draft, node: NodeState, failure: Failure) -> bool:
    """Whether the node's budget and its workflow allow another attempt."""
    if draft.scopes[node.scope].ending is not None and not node.is_handler:
        return False
    return retry_delay(node, failure, draft.base.key_of(node), draft.base.settings) is not None


def repeat(draft: Draft, node: NodeState, failure: Failure) -> None:
    """Let the next attempt begin after its wait."""
    delay = retry_delay(node, failure, draft.base.key_of(node), draft.base.settings) or 0.0
    node = draft.change(
        node,
        phase=NodePhase.RETRYING,
        outcome=None,
        is_over=False,
        failure=failure,
        failures={**node.failures, failure.kind: node.failures.get(failure.kind, 0) + 1},
        attempt=node.attempt + 1,
        retry_at=draft.now + delay,
        retry_delay=delay,
        deadline=None,
        queue_deadline=None,
    )
    draft.set_timer("retry", node, delay, draft.now + delay)
