"""What attempts have called: one call under each name."""

import asyncio

from connectory.v1 import literals_pb2, workflow_pb2
from workflow_runner.called import CallDesk
from workflow_runner.engine.commands import AnswerCall
from workflow_runner.engine.events import NodeCalled, NodeWithdrawn
from workflow_runner.engine.graph import NodeSpec
from workflow_runner.engine.state import NodePhase, NodeState, State


async def test_a_name_that_is_called_again_before_it_is_answered_is_the_same_call() -> None:
    emitted: list[NodeCalled | NodeWithdrawn] = []
    state = State()
    desk = CallDesk(lambda: state, emit=emitted.append, clock=lambda: 1.0)
    first = desk.begin(("e", 0), "x", b"", b"", ())
    second = desk.begin(("e", 0), "x", b"", b"", ())
    assert [type(event) for event in emitted] == [NodeCalled]
    outputs = literals_pb2.LiteralMap(literals={"o": literals_pb2.Literal(hash="h")})
    spec = NodeSpec(node=workflow_pb2.Node(id="x"))
    ended = NodeState(path="e.x", scope="e", spec=spec, phase=NodePhase.SUCCEEDED, outputs=outputs)
    state = State(execution="w", nodes={"e.x": ended})
    desk.answer(AnswerCall(node="e", attempt=0, call="x"))
    ends = await asyncio.wait_for(asyncio.gather(first, second), 10)
    assert [literals_pb2.LiteralMap.FromString(end.outputs) for end in ends] == [outputs, outputs]
