"""Gates through the control API."""

import pytest

from connectory.errors import AlreadyExistsError, InvalidTaskError, NotFoundError, UserError
from connectory.v1 import control_pb2, execution_pb2, identifiers_pb2, literals_pb2, workflow_pb2
from tests.workflow_runner.control.flows import ADD
from tests.workflow_runner.control.harness import Control, serving
from tests.workflow_runner.workflows import INTEGER, closure, constant, integer, node, promise, signal, string, workflow

Execution = identifiers_pb2.WorkflowExecutionIdentifier


def gated() -> workflow_pb2.CompiledWorkflowClosure:
    gate = signal("gate", "how-many", INTEGER)
    add = node("add", ADD, {"a": promise("gate", "o"), "b": constant(integer(1))})
    return closure(workflow("gated", [gate, add], outputs={"o": (INTEGER, promise("add", "o"))}), [ADD])


async def answer(control: Control, execution: Execution, name: str, value: literals_pb2.Literal) -> None:
    identifier = identifiers_pb2.SignalIdentifier(signal_id=name, execution_id=execution)
    await control.client.set_signal(control_pb2.SignalSetRequest(id=identifier, value=value))


async def listed(control: Control, execution: Execution) -> list[control_pb2.Signal]:
    request = control_pb2.SignalListRequest(workflow_execution_id=execution)
    return list((await control.client.list_signals(request)).signals)


async def test_a_gate_is_listed_and_answered_once() -> None:
    async with serving() as control:
        execution = await control.start(await control.register(gated()))
        (gate,) = await listed(control, execution)
        assert (gate.id.signal_id, gate.type, gate.is_approval) == ("how-many", INTEGER, False)
        assert not gate.HasField("value")
        with pytest.raises(InvalidTaskError, match="signal 'how-many'"):
            await answer(control, execution, "how-many", string("x"))
        with pytest.raises(NotFoundError, match="its signals are: 'how-many'"):
            await answer(control, execution, "other", integer(1))
        await answer(control, execution, "how-many", integer(41))
        ended = await control.ended(execution)
        assert ended.closure.phase == execution_pb2.WorkflowExecution.SUCCEEDED
        (gate,) = await listed(control, execution)
        assert gate.value == integer(41)
        with pytest.raises(UserError, match="has ended"):
            await answer(control, execution, "how-many", integer(41))


async def test_a_second_answer_that_differs_is_refused_and_the_same_is_not() -> None:
    made = gated()
    made.primary.template.nodes.append(signal("later", "never", INTEGER))
    async with serving() as control:
        execution = await control.start(await control.register(made))
        await answer(control, execution, "how-many", integer(1))
        await answer(control, execution, "how-many", integer(1))
        with pytest.raises(AlreadyExistsError, match="was answered already"):
            await answer(control, execution, "how-many", integer(2))
