"""Nodes and attempts as rows that lists are chosen from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from connectory.v1 import execution_pb2
from workflow_runner.control.queries import Field, ListRequest, chosen, page_of, query_of

__all__ = ["Row", "node_row", "page", "task_row"]

Message = TypeVar("Message", execution_pb2.NodeExecution, execution_pb2.TaskExecution)

_FIELDS: Mapping[str, Field] = {
    "phase": Field(column="phase"),
    "node_id": Field(column="node_id"),
    "retry_attempt": Field(column="attempt", kind="number"),
    "created_at": Field(column="created_at", kind="time"),
    "started_at": Field(column="started_at", kind="time"),
    "updated_at": Field(column="updated_at", kind="time"),
    "duration": Field(column="duration", kind="number"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Row(Generic[Message]):
    """What a node or an attempt can be found by. Times are seconds since 1970."""

    message: Message
    phase: str
    node_id: str
    attempt: int
    created_at: float
    started_at: float | None
    updated_at: float
    duration: float


def node_row(node: execution_pb2.NodeExecution) -> Row[execution_pb2.NodeExecution]:
    """A node as a row."""
    closure = node.closure
    return Row(
        message=node,
        phase=execution_pb2.NodeExecution.Phase.Name(closure.phase),
        node_id=node.id.node_id,
        attempt=0,
        created_at=_seconds(closure.created_at),
        started_at=_seconds(closure.started_at) if closure.HasField("started_at") else None,
        updated_at=_seconds(closure.updated_at),
        duration=closure.duration.ToTimedelta().total_seconds(),
    )


def task_row(task: execution_pb2.TaskExecution) -> Row[execution_pb2.TaskExecution]:
    """An attempt as a row."""
    closure = task.closure
    return Row(
        message=task,
        phase=execution_pb2.TaskExecution.Phase.Name(closure.phase),
        node_id=task.id.node_execution_id.node_id,
        attempt=task.id.retry_attempt,
        created_at=_seconds(closure.created_at),
        started_at=_seconds(closure.started_at),
        updated_at=_seconds(closure.updated_at),
        duration=closure.duration.ToTimedelta().total_seconds(),
    )


def page(rows: Sequence[Row[Message]], request: ListRequest) -> tuple[list[Message], str]:
    """The page that a request asks for, and the token of the next one."""
    query = query_of(request, _FIELDS, order="created_at")
    found, token = page_of(chosen(rows, query), query)
    return [row.message for row in found], token


def _seconds(moment: Timestamp) -> float:
    return moment.seconds + moment.nanos / 1e9
