"""Phases of the engine as phases of the wire."""

from connectory.v1 import execution_pb2
from workflow_runner.control.history import AttemptHistory
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.state import NodePhase, NodeState

__all__ = ["execution_phase", "is_final", "node_phase", "task_phase", "wire_error"]

_Execution = execution_pb2.WorkflowExecution
_Node = execution_pb2.NodeExecution
_Task = execution_pb2.TaskExecution

_NODES = {
    NodePhase.WAITING: _Node.UNDEFINED,
    NodePhase.LOOKING: _Node.QUEUED,
    NodePhase.QUEUED: _Node.QUEUED,
    NodePhase.RUNNING: _Node.RUNNING,
    NodePhase.RETRYING: _Node.RUNNING,
    NodePhase.SUCCEEDED: _Node.SUCCEEDED,
    NodePhase.FAILED: _Node.FAILED,
    NodePhase.TIMED_OUT: _Node.TIMED_OUT,
    NodePhase.ABORTED: _Node.ABORTED,
    NodePhase.SKIPPED: _Node.SKIPPED,
}
_LIVE = (_Task.QUEUED, _Task.INITIALIZING, _Task.WAITING_FOR_RESOURCES, _Task.RUNNING)
_FINAL = frozenset({_Execution.SUCCEEDED, _Execution.FAILED, _Execution.ABORTED, _Execution.TIMED_OUT})


def execution_phase(name: str) -> execution_pb2.WorkflowExecution.Phase.ValueType:
    """The phase of an execution by the runner's name of it; QUEUED is one that has not begun."""
    return _Execution.Phase.Value(name)


def is_final(phase: execution_pb2.WorkflowExecution.Phase.ValueType) -> bool:
    """Whether an execution of this phase has ended."""
    return phase in _FINAL


def node_phase(node: NodeState, *, expanded: bool) -> execution_pb2.NodeExecution.Phase.ValueType:
    """The phase of a node; `expanded` when nodes that it made itself run within it."""
    if node.phase is NodePhase.STOPPING:
        retried = node.outcome is not None and node.outcome.phase is NodePhase.RETRYING
        return _Node.RUNNING if retried else _Node.FAILING
    if node.phase is NodePhase.RUNNING and expanded:
        return _Node.DYNAMIC_RUNNING
    return _Node.RECOVERED if node.reused_from else _NODES[node.phase]


def task_phase(node: NodeState, attempt: AttemptHistory) -> execution_pb2.TaskExecution.Phase.ValueType:
    """The phase of an attempt: what it reports while it lives, afterwards what became of it."""
    if attempt.succeeded:
        return _Task.SUCCEEDED
    if attempt.ended_at is None:
        return next((phase for phase in _LIVE if phase == attempt.job_phase), _Task.RUNNING)
    if attempt.number < node.attempt or node.phase is NodePhase.RETRYING:
        return _Task.RETRYABLE_FAILED
    return _Task.ABORTED if node.phase is NodePhase.ABORTED else _Task.FAILED


def wire_error(failure: Failure) -> execution_pb2.ExecutionError:
    """Why something failed."""
    error = execution_pb2.ExecutionError
    container = execution_pb2.ContainerError
    return error(
        code=failure.code,
        message=failure.message,
        kind=error.USER if failure.kind == "user" else error.SYSTEM,
        recoverability=container.RECOVERABLE if failure.recoverable else container.NON_RECOVERABLE,
    )
