"""The calls that the server makes of a connector's process: their names, their messages, and what travels beside them.

The messages are those of the wire. A call carries the name by which its secrets are asked for, when the caller stops
waiting, and the trace that it belongs to; the deadline is told rather than set, because a create goes on without its
caller.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.protobuf import empty_pb2

from connectory.rpc.handlers import CallContext
from connectory.v1 import connector_pb2 as pb

__all__ = ["CALLS", "SERVICE", "UNLIMITED", "Call", "call_of", "metadata_of"]

SERVICE: Final = "connectory.isolation.Connectors"
UNLIMITED: Final = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
"""How large a message may be is decided where callers come in."""

CALLS: Final[Mapping[str, tuple[Any, Any]]] = {
    "Create": (pb.CreateTaskRequest, pb.CreateTaskResponse),
    "Find": (pb.CreateTaskRequest, pb.CreateTaskResponse),
    "Execute": (pb.CreateTaskRequest, pb.Resource),
    "Get": (pb.GetTaskRequest, pb.Resource),
    "Delete": (pb.DeleteTaskRequest, empty_pb2.Empty),
    "Metrics": (pb.GetTaskMetricsRequest, pb.GetTaskMetricsResponse),
    "Logs": (pb.GetTaskLogsRequest, pb.GetTaskLogsResponse),
    "Check": (pb.TaskCategory, empty_pb2.Empty),
    "Ping": (empty_pb2.Empty, empty_pb2.Empty),
}
"""The request and the answer of each; `Logs` answers many. A `Find` that finds nothing answers an empty handle."""

_CALL: Final = "connectory-call"
_DEADLINE: Final = "connectory-deadline"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Call:
    """What travels beside a request."""

    name: str
    deadline: datetime | None


def metadata_of(name: str, deadline: datetime | None, trace: Mapping[str, str]) -> list[tuple[str, str]]:
    """A call's metadata."""
    metadata = [(_CALL, name), *trace.items()]
    if deadline is not None:
        metadata.append((_DEADLINE, str((deadline - _EPOCH) // _MICROSECOND)))
    return metadata


def call_of(context: CallContext) -> Call:
    """What came beside a request."""
    metadata = dict(context.invocation_metadata() or ())
    moment = metadata.get(_DEADLINE)
    deadline = None if moment is None else _EPOCH + int(moment) * _MICROSECOND
    return Call(str(metadata.get(_CALL, "")), deadline)
