"""Which node follows which, as an engine's graph view has it."""

from connectory.compiler.targets import waited_for
from connectory.v1 import workflow_pb2

__all__ = ["END_NODE", "START_NODE", "connections"]

START_NODE = "start-node"
END_NODE = "end-node"


def connections(template: workflow_pb2.WorkflowTemplate) -> workflow_pb2.ConnectionSet:
    """Edges in both directions; a choice also follows what its cases follow.

    The first nodes follow `start-node`, the last ones precede `end-node`.
    """
    result = workflow_pb2.ConnectionSet()
    followed: set[str] = set()
    for node in template.nodes:
        waits_for = waited_for(node)
        followed.update(waits_for)
        for before in waits_for or [START_NODE]:
            _connect(result, before, node.id)
    for node in template.nodes:
        if node.id not in followed:
            _connect(result, node.id, END_NODE)
    if not template.nodes:
        _connect(result, START_NODE, END_NODE)
    return result


def _connect(result: workflow_pb2.ConnectionSet, before: str, after: str) -> None:
    result.downstream[before].ids.append(after)
    result.upstream[after].ids.append(before)
