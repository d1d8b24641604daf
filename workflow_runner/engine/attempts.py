"""What the end of an attempt, or of its time, means for its node."""

import msgspec

from connectory.errors import ConnectoryError
from connectory.v1 import execution_pb2, literals_pb2, workflow_pb2
from workflow_runner.engine.agreement import nodes_in, require_agreement
from workflow_runner.engine.draft import Draft
from workflow_runner.engine.events import (
    AttemptExpanded,
    AttemptFailed,
    AttemptProgressed,
    AttemptStopped,
    AttemptSucceeded,
    TimerFired,
)
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.places import leave_place, take_place
from workflow_runner.engine.program import expanded
from workflow_runner.engine.queueing import leave_queue, wait_in_queue
from workflow_runner.engine.repeating import may_repeat
from workflow_runner.engine.scopes import conclude, end_calls, end_node, end_scope, open_scope, stop, succeed_node
from workflow_runner.engine.state import NodePhase, NodeState, Outcome, ScopeState

__all__ = ["UNCONFIRMED", "on_expanded", "on_failed", "on_progressed", "on_stopped", "on_succeeded", "on_timer"]

TIMED_OUT = "TIMED_OUT"
QUEUED_TOO_LONG = "QUEUED_TOO_LONG"
UNCONFIRMED = "JOB_NOT_CONFIRMED_GONE"
"""The code of a failure after which something outside may still run; its message says what, and why it failed."""
_BEFORE_RUNNING = frozenset(
    {
        execution_pb2.TaskExecution.UNDEFINED,
        execution_pb2.TaskExecution.QUEUED,
        execution_pb2.TaskExecution.INITIALIZING,
        execution_pb2.TaskExecution.WAITING_FOR_RESOURCES,
    }
)


def on_progressed(draft: Draft, event: AttemptProgressed) -> None:
    """Show what the attempt reports."""
    node = _current(draft, event.node, event.attempt, NodePhase.RUNNING, NodePhase.STOPPING)
    if node is not None:
        links = event.log_links or node.log_links
        waits = event.phase in _BEFORE_RUNNING
        deadline = node.queue_deadline if waits else None
        draft.change(
            node,
            job_phase=event.phase,
            message=event.message,
            log_links=links,
            facts=event.facts or node.facts,
            queue_deadline=deadline,
        )


def on_succeeded(draft: Draft, event: AttemptSucceeded) -> None:
    """The node is done."""
    node = _current(draft, event.node, event.attempt, NodePhase.RUNNING)
    if node is None:
        return
    leave_place(draft, node)
    links, facts = event.log_links or node.log_links, event.facts or node.facts
    if (event.message, links, facts) != (node.message, node.log_links, node.facts):
        node = draft.change(node, message=event.message, log_links=links, facts=facts)
    outputs = literals_pb2.LiteralMap.FromString(event.outputs)
    if node.path in draft.scopes:
        end_calls(draft, draft.change(node, outputs=outputs))
    else:
        succeed_node(draft, node, outputs)


def on_expanded(draft: Draft, event: AttemptExpanded) -> None:
    """The node goes on as the workflow that its task left behind."""
    node = _current(draft, event.node, event.attempt, NodePhase.RUNNING)
    task = node.spec.task if node is not None else None
    if node is None or task is None or draft.base.program is None:
        return
    leave_place(draft, node)
    if node.spec.is_eager:
        message = f"task {task.id.name!r} is eager: it calls nodes while it runs, and cannot leave others behind"
        failure = Failure(code="INVALID_NODES", message=message, node=node.path)
        conclude(draft, node, Outcome(phase=NodePhase.FAILED, failure=failure))
        return
    links, facts = event.log_links or node.log_links, event.facts or node.facts
    node = draft.change(node, message=event.message, log_links=links, facts=facts, deadline=None, queue_deadline=None)
    try:
        graph = expanded(draft.base.program, node.spec, task, workflow_pb2.DynamicJobSpec.FromString(event.spec))
        require_agreement(draft, node.path, nodes_in(graph, node.path))
    except ConnectoryError as error:
        message = f"the nodes that task {task.id.name!r} made cannot be run: {error}"
        end_node(draft, node, NodePhase.FAILED, Failure(code="INVALID_NODES", message=message, node=node.path))
        return
    inputs = node.inputs or literals_pb2.LiteralMap()
    count = len(graph.nodes)
    open_scope(draft, ScopeState(path=node.path, graph=graph, inputs=inputs, binds_in=node.path, remaining=count))


def on_failed(draft: Draft, event: AttemptFailed) -> None:
    """Repeat the attempt or end the node; first end what may still run of it."""
    node = _current(draft, event.node, event.attempt, NodePhase.RUNNING)
    if node is None:
        return
    failure = msgspec.structs.replace(event.failure, node=node.path)
    links, facts = event.log_links or node.log_links, event.facts or node.facts
    node = draft.change(node, failure=failure, log_links=links, facts=facts)
    outcome = _outcome(draft, node, failure)
    if event.live:
        stop(draft, node, outcome)
    else:
        leave_place(draft, node)
        conclude(draft, node, outcome)


def on_stopped(draft: Draft, event: AttemptStopped) -> None:
    """What the attempt started is gone: the node goes where it was to go."""
    node = _current(draft, event.node, event.attempt, NodePhase.STOPPING)
    if node is None or node.outcome is None or node.is_over:
        return
    leave_place(draft, node)
    outcome = node.outcome
    if event.unconfirmed:
        failure = outcome.failure
        message = f"{failure.message}; what it started may still run: {event.unconfirmed}"
        failure = msgspec.structs.replace(failure, code=UNCONFIRMED, message=message, recoverable=False)
        phase = NodePhase.FAILED if outcome.phase is NodePhase.RETRYING else outcome.phase
        outcome = Outcome(phase=phase, failure=failure)
    conclude(draft, node, outcome)


def on_timer(draft: Draft, event: TimerFired) -> None:
    """A time has come: that of the next attempt, or the end of an attempt's or a node's."""
    node = draft.nodes.get(event.node)
    if node is None:
        return
    if event.kind == "total":
        if node.phase.is_live and node.first_attempt == event.attempt:
            _end_time(draft, node)
    elif node.attempt != event.attempt:
        return
    elif event.kind == "retry" and node.phase is NodePhase.RETRYING:
        node = draft.change(node, phase=NodePhase.QUEUED, retry_at=None)
        if node.spec.task is not None:
            take_place(draft, wait_in_queue(draft, node))
        else:
            draft.ready.append(node.path)
    elif event.kind == "attempt" and node.phase is NodePhase.RUNNING and node.deadline is not None:
        _end_attempt_time(draft, node)
    elif event.kind == "queue" and node.queue_deadline is not None:
        _end_queue_time(draft, node)
    elif event.kind == "wake" and node.phase is NodePhase.RUNNING and node.wakes_at is not None:
        succeed_node(draft, node, literals_pb2.LiteralMap())


def _end_attempt_time(draft: Draft, node: NodeState) -> None:
    limit = node.spec.limits.attempt or 0.0
    if node.spec.gate is not None:
        message = f"gate {node.spec.node.metadata.name or node.spec.node.id!r} was not answered within {limit:g} s"
        end_node(draft, node, NodePhase.TIMED_OUT, Failure(code=TIMED_OUT, message=message, node=node.path))
        return
    message = f"attempt {node.attempt} did not end within {limit:g} s"
    failure = Failure(code=TIMED_OUT, message=message, recoverable=True, node=node.path)
    if node.path in draft.scopes and not node.spec.is_eager:
        draft.change(node, deadline=None)
        end_scope(draft, draft.scopes[node.path], NodePhase.TIMED_OUT, failure)
    else:
        stop(draft, draft.change(node, failure=failure), _outcome(draft, node, failure))


def _end_queue_time(draft: Draft, node: NodeState) -> None:
    limit = node.spec.limits.queue or 0.0
    message = f"attempt {node.attempt} did not begin to run within {limit:g} s"
    failure = Failure(code=QUEUED_TOO_LONG, message=message, recoverable=True, node=node.path)
    node = draft.change(node, queue_deadline=None)
    if node.phase is NodePhase.RUNNING:
        stop(draft, draft.change(node, failure=failure), _outcome(draft, node, failure))
    elif node.phase in (NodePhase.QUEUED, NodePhase.LOOKING):  # there would be no place for another attempt either
        leave_queue(draft, node)
        end_node(draft, node, NodePhase.TIMED_OUT, failure)


def _end_time(draft: Draft, node: NodeState) -> None:
    failure = Failure(code=TIMED_OUT, message="the node did not end within its total time", node=node.path)
    outcome = Outcome(phase=NodePhase.TIMED_OUT, failure=failure)
    node = draft.change(node, total_deadline=None)
    if node.path in draft.scopes and not node.spec.is_eager:
        end_scope(draft, draft.scopes[node.path], NodePhase.TIMED_OUT, failure)
    elif node.phase is NodePhase.RUNNING:
        stop(draft, node, outcome)
    elif node.phase is not NodePhase.STOPPING:
        end_node(draft, node, outcome.phase, failure)
    elif node.outcome is not None and node.outcome.phase is NodePhase.RETRYING:
        draft.change(node, outcome=outcome)


def _current(draft: Draft, path: str, attempt: int, *phases: NodePhase) -> NodeState | None:
    node = draft.nodes.get(path)
    return node if node is not None and node.attempt == attempt and node.phase in phases else None


def _outcome(draft: Draft, node: NodeState, failure: Failure) -> Outcome:
    if may_repeat(draft, node, failure):
        return Outcome(phase=NodePhase.RETRYING, failure=failure)
    timed_out = failure.code in (TIMED_OUT, QUEUED_TOO_LONG)
    return Outcome(phase=NodePhase.TIMED_OUT if timed_out else NodePhase.FAILED, failure=failure)
