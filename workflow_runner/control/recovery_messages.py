"""What becomes of nodes when an execution is recovered, as the control API tells it."""

from collections.abc import Mapping
from typing import Final

from connectory.v1 import control_pb2
from workflow_runner.recovery import Change, NodeChange

__all__ = ["change_message"]

_CHANGES: Final[Mapping[Change, control_pb2.NodeChange.Change.ValueType]] = {
    "reused": control_pb2.NodeChange.REUSED,
    "adopted": control_pb2.NodeChange.ADOPTED,
    "changed": control_pb2.NodeChange.CHANGED,
    "asked for": control_pb2.NodeChange.ASKED_FOR,
    "after others": control_pb2.NodeChange.AFTER_OTHERS,
    "unfinished": control_pb2.NodeChange.UNFINISHED,
    "new": control_pb2.NodeChange.NEW,
    "gone": control_pb2.NodeChange.GONE,
}


def change_message(change: NodeChange) -> control_pb2.NodeChange:
    """What becomes of one node."""
    return control_pb2.NodeChange(node_id=change.id, name=change.name, change=_CHANGES[change.change])
