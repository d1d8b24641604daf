"""Where the time of an execution went: a tree of spans over its nodes and attempts."""

from collections.abc import Iterator

from connectory.v1 import control_pb2, identifiers_pb2
from workflow_runner.control.catalog.contract import KnownExecution
from workflow_runner.control.execution_messages import execution_identifier
from workflow_runner.control.executions import Executions
from workflow_runner.control.node_messages import attempts_of, node_identifier, task_identifier
from workflow_runner.control.pictures import Picture
from workflow_runner.control.times import timestamp
from workflow_runner.engine.state import ROOT, NodeState

__all__ = ["Spans"]

WAITING = "NODE_QUEUED"
"""The time between a node's turn and the beginning of its first attempt."""

_Identifier = identifiers_pb2.WorkflowExecutionIdentifier
_DEEPEST = 100


class Spans:
    """The metrics of AdminService."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    async def get(
        self, request: control_pb2.WorkflowExecutionGetMetricsRequest
    ) -> control_pb2.WorkflowExecutionGetMetricsResponse:
        """The spans of an execution, so many levels of them."""
        known = await self._executions.find(request.id)
        picture = await self._executions.picture(request.id)
        span = _whole(known)
        if picture is not None:
            span.spans.extend(_within(request.id, picture, ROOT, (request.depth or _DEEPEST) - 1))
        return control_pb2.WorkflowExecutionGetMetricsResponse(span=span)


def _whole(known: KnownExecution) -> control_pb2.Span:
    span = control_pb2.Span(workflow_id=execution_identifier(known), start_time=timestamp(known.created_at))
    if known.ended_at is not None:
        span.end_time.CopyFrom(timestamp(known.ended_at))
    return span


def _within(execution: _Identifier, picture: Picture, scope: str, levels: int) -> Iterator[control_pb2.Span]:
    for node in picture.state.nodes.values() if levels > 0 else ():
        if node.scope == scope and node.queued_at is not None:
            yield _node(execution, picture, node, levels)


def _node(execution: _Identifier, picture: Picture, node: NodeState, levels: int) -> control_pb2.Span:
    begun = node.queued_at or 0.0
    span = _span(begun, node.ended_at if node.phase.is_terminal else None)
    span.node_id.CopyFrom(node_identifier(execution, node))
    if levels > 1:
        attempts = attempts_of(picture, node)
        if attempts and attempts[0].started_at > begun:
            waiting = _span(begun, attempts[0].started_at)
            waiting.operation_id = WAITING
            span.spans.append(waiting)
        for attempt in attempts:
            identifier = task_identifier(execution, node, attempt.number)
            if identifier is not None:
                told = _span(attempt.started_at, attempt.ended_at)
                told.task_id.CopyFrom(identifier)
                span.spans.append(told)
        span.spans.extend(_within(execution, picture, node.path, levels - 1))
    return span


def _span(start: float, end: float | None) -> control_pb2.Span:
    span = control_pb2.Span(start_time=timestamp(start))
    if end is not None:
        span.end_time.CopyFrom(timestamp(end))
    return span
