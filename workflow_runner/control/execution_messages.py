"""Executions as messages."""

from connectory.v1 import control_pb2, execution_pb2, identifiers_pb2
from workflow_runner.control.catalog.contract import EntityKey, KnownExecution
from workflow_runner.control.identifiers import identifier_of
from workflow_runner.control.phases import execution_phase, wire_error
from workflow_runner.control.times import duration, timestamp
from workflow_runner.engine.failures import Failure

__all__ = ["execution_identifier", "execution_message"]


def execution_identifier(known: KnownExecution) -> identifiers_pb2.WorkflowExecutionIdentifier:
    """An execution as its users know it."""
    return identifiers_pb2.WorkflowExecutionIdentifier(project=known.project, domain=known.domain, name=known.name)


def execution_message(known: KnownExecution, failure: Failure | None = None) -> control_pb2.Execution:
    """An execution as it stands; without the failure itself, its error has only what is known of it in lists."""
    request = control_pb2.ExecutionCreateRequest.FromString(known.request)
    started = request.spec.launch_plan
    workflow = EntityKey(
        identifiers_pb2.WORKFLOW, started.project, started.domain, known.workflow, known.workflow_version
    )
    closure = _closure(known, workflow, failure)
    return control_pb2.Execution(id=execution_identifier(known), spec=request.spec, closure=closure)


def _closure(known: KnownExecution, workflow: EntityKey, failure: Failure | None) -> control_pb2.ExecutionClosure:
    closure = control_pb2.ExecutionClosure(
        phase=execution_phase(known.phase),
        created_at=timestamp(known.created_at),
        updated_at=timestamp(known.updated_at),
        workflow_id=identifier_of(workflow),
    )
    if known.started_at is not None:
        closure.started_at.CopyFrom(timestamp(known.started_at))
    if known.ended_at is not None:
        closure.duration.CopyFrom(duration(known.duration))
    if closure.phase in (execution_pb2.WorkflowExecution.ABORTED, execution_pb2.WorkflowExecution.ABORTING):
        closure.abort_metadata.cause = known.error
    elif closure.phase == execution_pb2.WorkflowExecution.FAILED:
        closure.error.CopyFrom(wire_error(failure) if failure is not None else _short_error(known))
    if known.archived_at is not None:
        state = control_pb2.EXECUTION_ARCHIVED if known.archived else control_pb2.EXECUTION_ACTIVE
        closure.state_change_details.state = state
        closure.state_change_details.occurred_at.CopyFrom(timestamp(known.archived_at))
    return closure


def _short_error(known: KnownExecution) -> execution_pb2.ExecutionError:
    return execution_pb2.ExecutionError(message=known.error)
