"""Nodes and attempts as rows that lists are chosen from; what is not on the page is never made a message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from connectory.v1 import execution_pb2
from workflow_runner.control.node_times import phase_of, times_of
from workflow_runner.control.pictures import Picture
from workflow_runner.control.queries import Field, ListRequest, chosen, page_of, query_of
from workflow_runner.engine.state import NodeState

__all__ = ["Row", "node_row", "page", "task_row"]

Item = TypeVar("Item")

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
class Row(Generic[Item]):
    """What a node or an attempt can be found by. Times are seconds since 1970."""

    item: Item
    phase: str
    node_id: str
    attempt: int
    created_at: float
    started_at: float | None
    updated_at: float
    duration: float


def node_row(picture: Picture, node: NodeState) -> Row[NodeState]:
    """A node as a row."""
    times = times_of(picture, node)
    return Row(
        item=node,
        phase=execution_pb2.NodeExecution.Phase.Name(phase_of(picture, node)),
        node_id=node.path,
        attempt=node.attempt,
        created_at=times.created_at,
        started_at=times.started_at,
        updated_at=times.updated_at,
        duration=times.duration,
    )


def task_row(task: execution_pb2.TaskExecution) -> Row[execution_pb2.TaskExecution]:
    """An attempt as a row."""
    closure = task.closure
    return Row(
        item=task,
        phase=execution_pb2.TaskExecution.Phase.Name(closure.phase),
        node_id=task.id.node_execution_id.node_id,
        attempt=task.id.retry_attempt,
        created_at=_seconds(closure.created_at),
        started_at=_seconds(closure.started_at),
        updated_at=_seconds(closure.updated_at),
        duration=closure.duration.ToTimedelta().total_seconds(),
    )


def page(rows: Sequence[Row[Item]], request: ListRequest) -> tuple[list[Item], str]:
    """The page that a request asks for, and the token of the next one."""
    query = query_of(request, _FIELDS, order="created_at")
    found, token = page_of(chosen(rows, query), query)
    return [row.item for row in found], token


def _seconds(moment: Timestamp) -> float:
    return moment.seconds + moment.nanos / 1e9
