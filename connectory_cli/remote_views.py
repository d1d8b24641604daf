"""What a control API tells of executions, as the views that commands show."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from connectory.connector.configs import plain
from connectory.connector.contract import Phase
from connectory.v1 import control_pb2, execution_pb2, literals_pb2
from workflow_runner.engine.events import LogLink
from workflow_runner.engine.failures import Failure, FailureKind
from workflow_runner.engine.state import ExecutionPhase, NodePhase
from workflow_runner.signals import SignalView
from workflow_runner.subscribers import Update
from workflow_runner.views import ExecutionSummary, ExecutionUpdate, ExecutionView, NodeUpdate, NodeView

__all__ = [
    "Shown",
    "execution_summary",
    "failure_of",
    "node_phase_of",
    "phase_of",
    "signal_view",
    "time_of",
    "updates",
]

_Node = execution_pb2.NodeExecution
_Wire = execution_pb2.WorkflowExecution

_NODE_PHASES: Mapping[int, NodePhase] = {
    _Node.UNDEFINED: NodePhase.WAITING,
    _Node.QUEUED: NodePhase.QUEUED,
    _Node.RUNNING: NodePhase.RUNNING,
    _Node.DYNAMIC_RUNNING: NodePhase.RUNNING,
    _Node.SUCCEEDED: NodePhase.SUCCEEDED,
    _Node.RECOVERED: NodePhase.SUCCEEDED,
    _Node.FAILING: NodePhase.STOPPING,
    _Node.FAILED: NodePhase.FAILED,
    _Node.ABORTED: NodePhase.ABORTED,
    _Node.SKIPPED: NodePhase.SKIPPED,
    _Node.TIMED_OUT: NodePhase.TIMED_OUT,
}
_PHASES: Mapping[int, ExecutionPhase] = {
    _Wire.SUCCEEDED: ExecutionPhase.SUCCEEDED,
    _Wire.FAILING: ExecutionPhase.FAILING,
    _Wire.FAILED: ExecutionPhase.FAILED,
    _Wire.TIMED_OUT: ExecutionPhase.FAILED,
    _Wire.ABORTING: ExecutionPhase.ABORTING,
    _Wire.ABORTED: ExecutionPhase.ABORTED,
}


def phase_of(execution: control_pb2.Execution) -> ExecutionPhase:
    """Where an execution is; one that has not begun counts as running."""
    return _PHASES.get(execution.closure.phase, ExecutionPhase.RUNNING)


def node_phase_of(node: execution_pb2.NodeExecution) -> NodePhase:
    """Where a node is."""
    return _NODE_PHASES[node.closure.phase]


def execution_summary(execution: control_pb2.Execution) -> ExecutionSummary:
    """One execution of a list."""
    closure = execution.closure
    started = time_of(closure.started_at if closure.HasField("started_at") else closure.created_at)
    ended = started + closure.duration.ToTimedelta() if closure.HasField("duration") else None
    failure = failure_of(execution)
    return ExecutionSummary(
        id=execution.id.name,
        workflow=closure.workflow_id.name,
        phase=phase_of(execution),
        started=started,
        ended=ended,
        error=failure.message if failure is not None else "",
    )


def signal_view(signal: control_pb2.Signal) -> SignalView:
    """A gate."""
    return SignalView(
        id=signal.id.signal_id,
        is_approval=signal.is_approval,
        type=signal.type,
        nodes=list(signal.waiting_nodes),
        shown=signal.about,
        deadline=time_of(signal.deadline) if signal.HasField("deadline") else None,
        answer=signal.value if signal.HasField("value") else None,
    )


class Shown:
    """An execution as far as it was told, message by message."""

    def __init__(self) -> None:
        self.execution = control_pb2.Execution()
        self._nodes: dict[str, execution_pb2.NodeExecution] = {}
        self._attempts: dict[str, execution_pb2.TaskExecution] = {}

    def take(self, answer: control_pb2.WatchExecutionResponse) -> Update:
        """Learn what a message tells; what it means for people who watch."""
        match answer.WhichOneof("change"):
            case "node_execution":
                node = answer.node_execution.id.node_id
                self._nodes[node] = answer.node_execution
            case "task_execution":
                node = answer.task_execution.id.node_execution_id.node_id
                self._attempts[node] = answer.task_execution
            case _:
                self.execution = answer.execution
                name, phase = self.execution.id.name, phase_of(self.execution)
                return ExecutionUpdate(execution_id=name, phase=phase, error=failure_of(self.execution))
        return NodeUpdate(execution_id=self.execution.id.name, node=self._node(node))

    def view(self, outputs: literals_pb2.LiteralMap | None = None) -> ExecutionView:
        """All of it."""
        summary = execution_summary(self.execution)
        return ExecutionView(
            id=summary.id,
            workflow=summary.workflow,
            phase=summary.phase,
            started=summary.started,
            ended=summary.ended,
            nodes=[self._node(node) for node in self._nodes],
            outputs=outputs,
            error=failure_of(self.execution),
        )

    @property
    def _earlier(self) -> str:
        return self.execution.spec.metadata.reference_execution.name

    def _node(self, name: str) -> NodeView:
        node, attempt = self._nodes[name], self._attempts.get(name, execution_pb2.TaskExecution())
        closure = node.closure
        started = attempt.closure.started_at if attempt.closure.HasField("started_at") else closure.started_at
        begun = time_of(started) if started.ByteSize() else None
        phase = node_phase_of(node)
        ended = time_of(closure.updated_at) if phase.is_terminal and begun is not None else None
        return NodeView(
            id=name,
            name=node.metadata.name,
            kind="task" if attempt.HasField("id") else "",
            task_type=attempt.closure.task_type,
            phase=phase,
            attempt=attempt.id.retry_attempt,
            job_phase=Phase(attempt.closure.phase),
            started=begun,
            ended=ended,
            message=attempt.closure.reason,
            cache_key="",
            cached_from=_source(closure.task_node_metadata.catalog_key),
            reused_from=self._earlier if closure.phase == _Node.RECOVERED else "",
            deck=closure.deck_uri,
            log_links=[LogLink(uri=log.uri, name=log.name) for log in attempt.closure.logs],
            facts=_facts(attempt.closure),
            error=_failure(closure.error) if closure.HasField("error") else None,
        )


def _facts(closure: execution_pb2.TaskExecutionClosure) -> str:
    """What the external system said for people to see, as a JSON object; empty: nothing."""
    facts = plain(closure.custom_info) if closure.HasField("custom_info") else {}
    return json.dumps(facts, ensure_ascii=False) if facts else ""


def _source(entry: execution_pb2.CatalogMetadata) -> str:
    """Who worked out a result that was taken from the cache: execution, node and attempt."""
    if not entry.HasField("source_task_execution"):
        return ""
    source = entry.source_task_execution
    node = source.node_execution_id
    return f"{node.execution_id.name}/{node.node_id}/{source.retry_attempt}"


async def updates(answers: AsyncIterator[control_pb2.WatchExecutionResponse], shown: Shown) -> AsyncIterator[Update]:
    """What is told, as it comes; `shown` has all of it."""
    async for answer in answers:
        yield shown.take(answer)


def failure_of(execution: control_pb2.Execution) -> Failure | None:
    """Why an execution did not succeed; None while nothing is known of that."""
    closure = execution.closure
    if closure.HasField("abort_metadata"):
        return Failure(code="ABORTED", message=closure.abort_metadata.cause)
    return _failure(closure.error) if closure.HasField("error") else None


def _failure(error: execution_pb2.ExecutionError) -> Failure:
    kind: FailureKind = "system" if error.kind == execution_pb2.ExecutionError.SYSTEM else "user"
    return Failure(code=error.code, message=error.message, kind=kind)


def time_of(moment: Timestamp) -> datetime:
    """The same as an aware time."""
    return moment.ToDatetime(UTC)
