"""What gates ask for. One answer serves every gate that asks for the same signal, so that all must ask for one type."""

from collections.abc import Iterable, Iterator

from connectory.v1 import types_pb2, workflow_pb2
from workflow_runner.engine.wiring import cases_of

__all__ = ["asked_by", "disagreement"]

_BOOLEAN = types_pb2.LiteralType(simple=types_pb2.BOOLEAN)


def asked_by(gate: workflow_pb2.GateNode) -> tuple[str, types_pb2.LiteralType] | None:
    """The signal that a gate waits for, and the type of an answer; None: it waits for none."""
    match gate.WhichOneof("condition"):
        case "approve":
            return gate.approve.signal_id, _BOOLEAN
        case "signal":
            return gate.signal.signal_id, gate.signal.type
    return None


def disagreement(templates: Iterable[workflow_pb2.WorkflowTemplate]) -> str | None:
    """Which gates of these workflows ask for the same signal by different types, in words."""
    known: dict[str, tuple[str, types_pb2.LiteralType]] = {}
    for template in templates:
        for node in (*template.nodes, template.failure_node):
            for signal, asked in _asked(node):
                where = f"node {node.id!r} of workflow {template.id.name!r}"
                first, expected = known.setdefault(signal, (where, asked))
                if asked != expected:
                    return (
                        f"{where} and {first} ask for signal {signal!r} by different types, and one answer serves both;"
                        " give one of them another name"
                    )
    return None


def _asked(node: workflow_pb2.Node) -> Iterator[tuple[str, types_pb2.LiteralType]]:
    """The signals that a node asks for, with the type of an answer."""
    match node.WhichOneof("target"):
        case "gate_node":
            asked = asked_by(node.gate_node)
            if asked is not None:
                yield asked
        case "branch_node":
            for _, inner in cases_of(node.branch_node.if_else):
                yield from _asked(inner)
        case "array_node":
            yield from _asked(node.array_node.node)
