"""What people and programs see of executions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from connectory.authoring.decks import DECK_FILE
from connectory.connector.contract import Phase
from connectory.v1 import literals_pb2
from workflow_runner.engine.events import LogLink
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.state import ExecutionPhase, NodePhase, NodeState, State
from workflow_runner.launches import attempt_place
from workflow_runner.store.contract import ExecutionRecord

__all__ = [
    "ExecutionResult",
    "ExecutionSummary",
    "ExecutionUpdate",
    "ExecutionView",
    "NodeUpdate",
    "NodeView",
    "deck_of",
    "deck_place",
    "execution_view",
    "node_view",
    "result_of",
    "summary_of",
]


@dataclass(frozen=True, kw_only=True)
class ExecutionResult:
    """How an execution ended."""

    phase: ExecutionPhase
    outputs: literals_pb2.LiteralMap | None = None
    """Set when it succeeded."""
    error: Failure | None = None
    """Set when it did not."""


@dataclass(frozen=True, kw_only=True)
class NodeView:
    """One node of an execution."""

    id: str
    """The ids from the outermost workflow down to this node, joined by dots."""
    name: str
    """The name that its author sees: the node's own, or that of its task or workflow."""
    kind: str
    """task, workflow, branch, gate or array."""
    task_type: str
    """Empty for what is not a task."""
    phase: NodePhase
    attempt: int
    """From 0."""
    job_phase: Phase
    """What the current attempt last reported."""
    started: datetime | None
    """When the current attempt began."""
    ended: datetime | None
    message: str
    deck: str = ""
    """Where the last attempt shows its work, as an object store URL; empty: nowhere."""
    reused_from: str = ""
    """The earlier execution that its result was taken over from; empty: it was worked out here."""
    cache_key: str
    """Under which its result is kept for others; empty: it is not."""
    cached_from: str
    """Who worked out the result that it took from the cache; empty: it was worked out here."""
    log_links: Sequence[LogLink]
    facts: str = ""
    """What the external system said about the current attempt, as a JSON object; empty: nothing."""
    error: Failure | None


@dataclass(frozen=True, kw_only=True)
class ExecutionSummary:
    """One execution in a list."""

    id: str
    workflow: str
    phase: ExecutionPhase
    started: datetime
    ended: datetime | None
    error: str


@dataclass(frozen=True, kw_only=True)
class ExecutionView:
    """One execution with its nodes, in the order of the workflow."""

    id: str
    workflow: str
    phase: ExecutionPhase
    started: datetime | None
    ended: datetime | None
    nodes: Sequence[NodeView]
    outputs: literals_pb2.LiteralMap | None
    error: Failure | None


@dataclass(frozen=True, kw_only=True)
class NodeUpdate:
    """A node changed."""

    execution_id: str
    node: NodeView


@dataclass(frozen=True, kw_only=True)
class ExecutionUpdate:
    """An execution changed its phase."""

    execution_id: str
    phase: ExecutionPhase
    error: Failure | None = None


def execution_view(state: State) -> ExecutionView:
    """What is seen of an execution in this state."""
    return ExecutionView(
        id=state.execution,
        workflow=state.program.name if state.program is not None else "",
        phase=state.phase,
        started=_time(state.started_at),
        ended=_time(state.ended_at),
        nodes=[replace(node_view(node), deck=deck_of(state, node)) for node in state.nodes.values()],
        outputs=state.outputs,
        error=state.failure,
    )


def node_view(node: NodeState) -> NodeView:
    """What is seen of a node in this state."""
    task = node.spec.task
    return NodeView(
        id=node.path,
        name=node.spec.node.metadata.name or node.spec.title,
        kind=node.spec.kind,
        task_type=task.type if task is not None else "",
        phase=node.phase,
        attempt=node.attempt,
        job_phase=Phase(node.job_phase),
        started=_time(node.started_at),
        ended=_time(node.ended_at),
        message=node.message,
        reused_from=node.reused_from,
        cache_key=node.cache_key,
        cached_from=node.cached_from,
        log_links=node.log_links,
        facts=node.facts,
        error=node.failure,
    )


def summary_of(record: ExecutionRecord) -> ExecutionSummary:
    """What a list shows of an execution."""
    return ExecutionSummary(
        id=record.id,
        workflow=record.workflow,
        phase=ExecutionPhase(record.phase),
        started=datetime.fromtimestamp(record.started_at, UTC),
        ended=_time(record.ended_at),
        error=record.error,
    )


def result_of(state: State) -> ExecutionResult:
    """How an execution ended; its phase must be terminal."""
    return ExecutionResult(phase=state.phase, outputs=state.outputs, error=state.failure)


def deck_of(state: State, node: NodeState) -> str:
    """Where the task's own code, if it has some that was run here, has written its page; empty: nowhere."""
    task = node.spec.task
    ran = node.phase in (NodePhase.SUCCEEDED, NodePhase.FAILED) and not node.cached_from and not node.reused_from
    return deck_place(state, node) if task is not None and ran and task.metadata.generates_deck.value else ""


def deck_place(state: State, node: NodeState) -> str:
    """The URL at which the last attempt of a node's task puts a page about itself; empty: nowhere."""
    place = attempt_place(state, node.path, node.attempt)
    if node.adopted is not None and node.attempt == 0:
        place = node.adopted.output_prefix
    return f"{place}/{DECK_FILE}" if place else ""


def _time(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
