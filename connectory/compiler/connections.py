"""Which node follows which, as an engine's graph view has it."""

from connectory.compiler.targets import waited_for
from connectory.v1 import workflow_pb2

__all__ = ["END_NODE", "START_NODE", "connect"]

START_NODE = "start-node"
END_NODE = "end-node"


def connect(workflow: workflow_pb2.CompiledWorkflow) -> None:
    """Write down the edges in both directions; a choice also follows what its cases follow.

    The first nodes follow `start-node`, the last ones precede `end-node`.
    """
    template, result = workflow.template, workflow.connections
    followed: set[str] = set()
    ids = []
    for node in template.nodes:
        ids.append(node.id)
        waits_for = waited_for(node)
        followed.update(waits_for)
        for before in waits_for or [START_NODE]:
            _connect(result, before, ids[-1])
    for last in ids:
        if last not in followed:
            _connect(result, last, END_NODE)
    if not ids:
        _connect(result, START_NODE, END_NODE)


def _connect(result: workflow_pb2.ConnectionSet, before: str, after: str) -> None:
    result.downstream[before].ids.append(after)
    result.upstream[after].ids.append(before)
