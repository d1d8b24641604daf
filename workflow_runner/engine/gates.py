"""Gates: nodes that wait for time to pass, for an approval or for a value."""

from connectory.v1 import literals_pb2
from workflow_runner.engine.asking import asked_by
from workflow_runner.engine.draft import Draft
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.graph import NodeSpec
from workflow_runner.engine.scopes import end_node, succeed_node
from workflow_runner.engine.state import NodePhase, NodeState

__all__ = ["answer", "open_gate", "signal_of"]


def signal_of(spec: NodeSpec) -> str:
    """The id of the signal that a node waits for; empty: it waits for none."""
    asked = asked_by(spec.gate) if spec.gate is not None else None
    return asked[0] if asked is not None else ""


def open_gate(draft: Draft, node: NodeState) -> None:
    """Begin to wait; what was answered before counts."""
    signal = signal_of(node.spec)
    if not signal:
        length = node.spec.sleep_time
        node = draft.change(node, wakes_at=draft.now + length)
        draft.set_timer("wake", node, length, draft.now + length)
    elif signal in draft.signals:
        answer(draft, node, draft.signals[signal])
    else:
        draft.change(node, message=f"waits for {signal!r}")


def answer(draft: Draft, node: NodeState, value: literals_pb2.Literal) -> None:
    """The gate is answered: it gives the value, or, if it asked for an approval, what it was given."""
    gate = node.spec.gate
    if gate is None:
        return
    node = draft.change(node, message="")
    if gate.WhichOneof("condition") == "signal":
        name = gate.signal.output_variable_name or "o0"
        succeed_node(draft, node, literals_pb2.LiteralMap(literals={name: value}))
    elif value.scalar.primitive.boolean:
        outputs = literals_pb2.LiteralMap()
        if node.inputs is not None:
            outputs.CopyFrom(node.inputs)
        succeed_node(draft, node, outputs)
    else:
        message = f"{gate.approve.signal_id!r} was not approved"
        end_node(draft, node, NodePhase.FAILED, Failure(code="NOT_APPROVED", message=message, node=node.path))
