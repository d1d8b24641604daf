"""What has been asked for and not been answered yet: where a runner goes on after a restart."""

from collections.abc import Iterator

from workflow_runner.engine.caching import computed_alone, max_age
from workflow_runner.engine.commands import Command, LookUp, SetTimer, StartAttempt, StopAttempt
from workflow_runner.engine.state import NodePhase, NodeState, State

__all__ = ["is_awaited", "look_up", "outstanding"]


_QUEUEING = frozenset({NodePhase.LOOKING, NodePhase.QUEUED, NodePhase.RUNNING})


def outstanding(state: State) -> list[Command]:
    """Every command of this execution that still waits for its answer."""
    if not state.execution or state.phase.is_terminal:
        return []
    return [command for node in state.nodes.values() if node.phase.is_live for command in _of_node(state, node)]


def is_awaited(state: State, timer: SetTimer) -> bool:
    """Whether this timer would still change anything."""
    node = state.nodes.get(timer.node)
    return node is not None and any(
        (timer.kind, timer.attempt) == (other.kind, other.attempt) for other in _timers(node)
    )


def look_up(node: NodeState) -> LookUp:
    """Ask whether the node's result is known."""
    spec = node.spec
    return LookUp(
        node=node.path, attempt=node.attempt, key=node.cache_key, alone=computed_alone(spec), max_age=max_age(spec)
    )


def _of_node(state: State, node: NodeState) -> Iterator[Command]:
    key = state.key_of(node)
    if node.phase is NodePhase.LOOKING:
        yield look_up(node)
    elif node.phase is NodePhase.RUNNING and node.spec.task is not None and _attempts(state, node):
        yield StartAttempt(node=node.path, attempt=node.attempt, key=key)
    elif node.phase is NodePhase.STOPPING and not node.is_over:
        cause = node.outcome.failure.message if node.outcome is not None else ""
        yield StopAttempt(node=node.path, attempt=node.attempt, key=key, cause=cause)
    yield from _timers(node)


def _attempts(state: State, node: NodeState) -> bool:
    """Whether an attempt of the running task is under way, and not the nodes that it left behind."""
    return node.spec.is_eager or node.path not in state.scopes


def _timers(node: NodeState) -> Iterator[SetTimer]:
    if node.phase is NodePhase.RETRYING and node.retry_at is not None:
        yield SetTimer(kind="retry", node=node.path, attempt=node.attempt, at=node.retry_at, after=node.retry_delay)
    if node.phase is NodePhase.RUNNING and node.deadline is not None:
        limit = node.spec.limits.attempt or 0.0
        yield SetTimer(kind="attempt", node=node.path, attempt=node.attempt, at=node.deadline, after=limit)
    if node.phase in _QUEUEING and node.queue_deadline is not None:
        limit = node.spec.limits.queue or 0.0
        yield SetTimer(kind="queue", node=node.path, attempt=node.attempt, at=node.queue_deadline, after=limit)
    if node.phase is NodePhase.RUNNING and node.wakes_at is not None:
        length = node.spec.sleep_time
        yield SetTimer(kind="wake", node=node.path, attempt=node.attempt, at=node.wakes_at, after=length)
    if node.total_deadline is not None and _may_go_on(node):
        limit = node.spec.limits.total or 0.0
        yield SetTimer(kind="total", node=node.path, attempt=node.first_attempt, at=node.total_deadline, after=limit)


def _may_go_on(node: NodeState) -> bool:
    if node.phase is NodePhase.STOPPING:
        return node.outcome is not None and node.outcome.phase is NodePhase.RETRYING
    return node.phase.is_live
