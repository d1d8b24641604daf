"""What the end of an attempt, or of its time, means for its node."""

import msgspec

from connectory.v1 import literals_pb2
from workflow_runner.engine.commands import StopAttempt
from workflow_runner.engine.draft import Draft
from workflow_runner.engine.events import (
    AttemptFailed,
    AttemptProgressed,
    AttemptStopped,
    AttemptSucceeded,
    TimerFired,
)
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.retry import retry_delay
from workflow_runner.engine.scopes import end_node, succeed_node
from workflow_runner.engine.state import NodePhase, NodeState, Outcome
from workflow_runner.engine.timeouts import attempt_timeout

__all__ = ["on_failed", "on_progressed", "on_stopped", "on_succeeded", "on_timer"]

TIMED_OUT = "TIMED_OUT"


def on_progressed(draft: Draft, event: AttemptProgressed) -> None:
    """Show what the attempt reports."""
    node = _current(draft, event.node, event.attempt, NodePhase.RUNNING, NodePhase.STOPPING)
    if node is not None:
        links = event.log_links or node.log_links
        draft.change(node, job_phase=event.phase, message=event.message, log_links=links)


def on_succeeded(draft: Draft, event: AttemptSucceeded) -> None:
    """The node is done."""
    node = _current(draft, event.node, event.attempt, NodePhase.RUNNING)
    if node is None:
        return
    draft.running -= 1
    node = draft.change(node, message=event.message, log_links=event.log_links or node.log_links)
    succeed_node(draft, node, literals_pb2.LiteralMap.FromString(event.outputs))


def on_failed(draft: Draft, event: AttemptFailed) -> None:
    """Repeat the attempt or end the node; first end what may still run of it."""
    node = _current(draft, event.node, event.attempt, NodePhase.RUNNING)
    if node is None:
        return
    failure = msgspec.structs.replace(event.failure, node=node.path)
    node = draft.change(node, failure=failure, log_links=event.log_links or node.log_links)
    outcome = _outcome(draft, node, failure)
    if event.live:
        _stop(draft, node, outcome)
    else:
        draft.running -= 1
        _conclude(draft, node, outcome)


def on_stopped(draft: Draft, event: AttemptStopped) -> None:
    """What the attempt started is gone: the node goes where it was to go."""
    node = _current(draft, event.node, event.attempt, NodePhase.STOPPING)
    if node is None or node.outcome is None:
        return
    draft.running -= 1
    outcome = node.outcome
    if event.unconfirmed:
        failure = outcome.failure
        message = f"{failure.message}; what it started may still run: {event.unconfirmed}"
        failure = msgspec.structs.replace(failure, message=message, recoverable=False)
        phase = NodePhase.FAILED if outcome.phase is NodePhase.RETRYING else outcome.phase
        outcome = Outcome(phase=phase, failure=failure)
    _conclude(draft, node, outcome)


def on_timer(draft: Draft, event: TimerFired) -> None:
    """A time has come: that of the next attempt, or the end of an attempt's or a node's."""
    node = draft.nodes.get(event.node)
    if node is None:
        return
    if event.kind == "retry" and node.phase is NodePhase.RETRYING and node.attempt == event.attempt:
        draft.change(node, phase=NodePhase.QUEUED, retry_at=None)
        draft.queue.append(node.path)
    elif event.kind == "attempt" and node.phase is NodePhase.RUNNING and node.attempt == event.attempt:
        message = f"attempt {node.attempt} did not end within {attempt_timeout(node.spec):g} s"
        failure = Failure(code=TIMED_OUT, message=message, recoverable=True, node=node.path)
        _stop(draft, draft.change(node, failure=failure), _outcome(draft, node, failure))
    elif event.kind == "total" and node.phase.is_live:
        _end_time(draft, node)


def _end_time(draft: Draft, node: NodeState) -> None:
    failure = Failure(code=TIMED_OUT, message="the node did not end within its total time", node=node.path)
    outcome = Outcome(phase=NodePhase.TIMED_OUT, failure=failure)
    if node.phase is NodePhase.RUNNING:
        _stop(draft, node, outcome)
    elif node.phase is not NodePhase.STOPPING:
        end_node(draft, node, outcome.phase, failure)
    elif node.outcome is not None and node.outcome.phase is NodePhase.RETRYING:
        draft.change(node, outcome=outcome)


def _current(draft: Draft, path: str, attempt: int, *phases: NodePhase) -> NodeState | None:
    node = draft.nodes.get(path)
    return node if node is not None and node.attempt == attempt and node.phase in phases else None


def _outcome(draft: Draft, node: NodeState, failure: Failure) -> Outcome:
    scope = draft.scopes[node.scope]
    delay = retry_delay(node, failure, draft.base.key_of(node), draft.base.settings)
    if scope.ending is None and delay is not None:
        return Outcome(phase=NodePhase.RETRYING, failure=failure)
    return Outcome(phase=NodePhase.TIMED_OUT if failure.code == TIMED_OUT else NodePhase.FAILED, failure=failure)


def _stop(draft: Draft, node: NodeState, outcome: Outcome) -> None:
    node = draft.change(node, phase=NodePhase.STOPPING, outcome=outcome)
    key = draft.base.key_of(node)
    draft.commands.append(StopAttempt(node=node.path, attempt=node.attempt, key=key, cause=outcome.failure.message))


def _conclude(draft: Draft, node: NodeState, outcome: Outcome) -> None:
    failure = outcome.failure
    if outcome.phase is not NodePhase.RETRYING:
        end_node(draft, node, outcome.phase, failure)
        return
    delay = retry_delay(node, failure, draft.base.key_of(node), draft.base.settings) or 0.0
    node = draft.change(
        node,
        phase=NodePhase.RETRYING,
        outcome=None,
        failure=failure,
        failures={**node.failures, failure.kind: node.failures.get(failure.kind, 0) + 1},
        attempt=node.attempt + 1,
        retry_at=draft.now + delay,
        retry_delay=delay,
        deadline=None,
    )
    draft.set_timer("retry", node, delay, draft.now + delay)
