"""What happened to the nodes of an execution, and when, as its log tells it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from connectory.connector.contract import Phase
from workflow_runner.engine.apply import apply
from workflow_runner.engine.events import decode_event
from workflow_runner.engine.state import NodePhase, NodeState, State
from workflow_runner.store.contract import LogRecord

__all__ = ["Moment", "timeline_of"]


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Something that happened."""

    at: datetime
    node: str
    """The node's path; empty: the execution itself."""
    name: str
    phase: str
    """Where the node, or the execution, stood from then on."""
    attempt: int
    """From 0."""
    job_phase: Phase
    """What the job outside had reported by then."""
    message: str
    """Why, as far as that is known: an error, where a result was taken from, what is waited for."""


def timeline_of(log: Sequence[LogRecord]) -> Sequence[Moment]:
    """Every change of a phase, in the order of the log."""
    found: list[Moment] = []
    state = State()
    for record in log:
        event = decode_event(record.event)
        after, _ = apply(state, event)
        at = datetime.fromtimestamp(event.at, UTC)
        found.extend(_changes(state, after, at))
        state = after
    return found


def _changes(before: State, after: State, at: datetime) -> Iterator[Moment]:
    changed = before.phase is not after.phase or not before.execution
    if changed and not after.phase.is_terminal:
        yield _of_execution(after, at)
    for path, node in after.nodes.items():
        earlier = before.nodes.get(path)
        if earlier is not node and _is_news(earlier, node):
            yield _of_node(node, at)
    if changed and after.phase.is_terminal:
        yield _of_execution(after, at)


def _is_news(earlier: NodeState | None, node: NodeState) -> bool:
    if node.phase in (NodePhase.WAITING, NodePhase.SKIPPED) and earlier is None:
        return False
    if earlier is None:
        return True
    return (earlier.phase, earlier.attempt, earlier.job_phase) != (node.phase, node.attempt, node.job_phase)


def _of_execution(state: State, at: datetime) -> Moment:
    return Moment(
        at=at,
        node="",
        name=state.program.name if state.program is not None else "",
        phase=state.phase.value,
        attempt=0,
        job_phase=Phase.UNDEFINED,
        message=state.failure.message if state.failure is not None else "",
    )


def _of_node(node: NodeState, at: datetime) -> Moment:
    told = node.failure.message if node.failure is not None and node.phase is not NodePhase.RUNNING else node.message
    if node.phase is NodePhase.RETRYING:
        told = f"again in {node.retry_delay:.1f} s: {told}"
    return Moment(
        at=at,
        node=node.path,
        name=node.spec.node.metadata.name or node.spec.title,
        phase=node.phase.value,
        attempt=node.attempt,
        job_phase=Phase(node.job_phase),
        message=told,
    )
