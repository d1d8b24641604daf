"""What gates ask for. One answer serves every gate that asks for the same signal, so that all must ask for one type."""

from collections.abc import Iterator

from connectory.errors import InvalidTaskError
from connectory.v1 import types_pb2, workflow_pb2
from workflow_runner.engine.wiring import cases_of

__all__ = ["require_agreement"]

_BOOLEAN = types_pb2.LiteralType(simple=types_pb2.BOOLEAN)


def require_agreement(closure: workflow_pb2.CompiledWorkflowClosure) -> None:
    """InvalidTaskError when gates of its workflows ask for the same signal by different types.

    For what is to begin: an execution that was accepted before this was looked at goes on.
    """
    templates = [*(compiled.template for compiled in closure.sub_workflows), closure.primary.template]
    known: dict[str, tuple[str, types_pb2.LiteralType]] = {}
    for template in templates:
        for node in (*template.nodes, template.failure_node):
            for signal, asked in _asked(node):
                where = f"node {node.id!r} of workflow {template.id.name!r}"
                first, expected = known.setdefault(signal, (where, asked))
                if asked != expected:
                    raise InvalidTaskError(
                        f"{where} and {first} ask for signal {signal!r} by different types, and one answer serves both;"
                        " give one of them another name"
                    )


def _asked(node: workflow_pb2.Node) -> Iterator[tuple[str, types_pb2.LiteralType]]:
    """The signals that a node asks for, with the type of an answer."""
    match node.WhichOneof("target"):
        case "gate_node" if node.gate_node.WhichOneof("condition") == "approve":
            yield node.gate_node.approve.signal_id, _BOOLEAN
        case "gate_node" if node.gate_node.WhichOneof("condition") == "signal":
            yield node.gate_node.signal.signal_id, node.gate_node.signal.type
        case "branch_node":
            for _, inner in cases_of(node.branch_node.if_else):
                yield from _asked(inner)
        case "array_node":
            yield from _asked(node.array_node.node)
