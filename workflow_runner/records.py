"""What the store's list of executions says of an execution."""

from workflow_runner.engine.state import State
from workflow_runner.store.contract import ExecutionRecord

__all__ = ["record_of"]


def record_of(state: State) -> ExecutionRecord:
    """The record of an execution that stands like this."""
    return ExecutionRecord(
        id=state.execution,
        workflow=state.program.name if state.program is not None else "",
        project=state.project,
        domain=state.domain,
        phase=state.phase.value,
        error=state.failure.message if state.failure is not None else "",
        started_at=state.started_at or 0.0,
        ended_at=state.ended_at,
    )
