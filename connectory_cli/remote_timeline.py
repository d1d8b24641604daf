"""`connectory executions show ID --timeline --endpoint`: what happened, as far as a control API tells it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from connectory.client.control import ControlClient
from connectory.connector.contract import Phase
from connectory.v1 import control_pb2, execution_pb2, identifiers_pb2
from connectory_cli.remote_views import failure_of, node_phase_of, phase_of, time_of
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.timeline import Moment

__all__ = ["remote_timeline"]

_PAGE = 500


async def remote_timeline(
    client: ControlClient, execution: identifiers_pb2.WorkflowExecutionIdentifier
) -> Sequence[Moment]:
    """Beginnings, repetitions and ends of all nodes, and what their attempts said, in the order of time."""
    known = await client.get_execution(control_pb2.WorkflowExecutionGetRequest(id=execution))
    begun, *ended = _of_execution(known)
    moments: list[Moment] = []
    for node in await _nodes(client, execution):
        request = control_pb2.TaskExecutionListRequest(node_execution_id=node.id, limit=_PAGE)
        attempts = (await client.list_task_executions(request)).task_executions
        moments.extend(_of_node(node, attempts))
    moments.sort(key=lambda moment: moment.at)
    latest = moments[-1].at if moments else begun.at  # durations are rounded
    return [begun, *moments, *(replace(end, at=max(end.at, latest)) for end in ended)]


async def _nodes(
    client: ControlClient, execution: identifiers_pb2.WorkflowExecutionIdentifier
) -> Sequence[execution_pb2.NodeExecution]:
    request = control_pb2.NodeExecutionListRequest(workflow_execution_id=execution, limit=_PAGE, whole_tree=True)
    nodes: list[execution_pb2.NodeExecution] = []
    while True:
        answer = await client.list_node_executions(request)
        nodes.extend(answer.node_executions)
        if not answer.token:  # of what happened at once, that of earlier nodes comes first
            return sorted(nodes, key=lambda node: node.closure.created_at.ToNanoseconds())
        request.token = answer.token


def _of_execution(known: control_pb2.Execution) -> Iterator[Moment]:
    closure = known.closure
    began = time_of(closure.started_at if closure.HasField("started_at") else closure.created_at)

    def moment(at: datetime, phase: ExecutionPhase, message: str) -> Moment:
        name = closure.workflow_id.name
        return Moment(
            at=at, node="", name=name, phase=phase.value, attempt=0, job_phase=Phase.UNDEFINED, message=message
        )

    yield moment(began, ExecutionPhase.RUNNING, "")
    phase, failure = phase_of(known), failure_of(known)
    if phase.is_terminal:
        yield moment(began + closure.duration.ToTimedelta(), phase, failure.message if failure is not None else "")


def _of_node(node: execution_pb2.NodeExecution, attempts: Sequence[execution_pb2.TaskExecution]) -> Iterator[Moment]:
    closure = node.closure
    name, phase = node.metadata.name, node_phase_of(node)

    def moment(at: datetime, phase: str, attempt: int, message: str = "", job: Phase = Phase.UNDEFINED) -> Moment:
        return Moment(
            at=at, node=node.id.node_id, name=name, phase=phase, attempt=attempt, job_phase=job, message=message
        )

    if closure.HasField("started_at") and closure.created_at.ToNanoseconds() < closure.started_at.ToNanoseconds():
        yield moment(time_of(closure.created_at), "QUEUED", 0)
    if closure.HasField("started_at") and not attempts:
        yield moment(time_of(closure.started_at), "RUNNING", 0)
    last = 0
    for attempt in sorted(attempts, key=lambda attempt: attempt.id.retry_attempt):
        last, told = attempt.id.retry_attempt, attempt.closure
        yield moment(time_of(told.started_at), "RUNNING", last)
        for reason in told.reasons:
            yield moment(time_of(reason.occurred_at), "RUNNING", last, reason.message)
        if told.phase == execution_pb2.TaskExecution.RETRYABLE_FAILED:
            end = time_of(told.started_at) + told.duration.ToTimedelta()
            yield moment(end, "RETRYING", last + 1, told.error.message)
    if phase.is_terminal:
        yield moment(time_of(closure.updated_at), phase.value, last, closure.error.message)
