"""What is told of one execution beyond its lists: where its time went, what its nodes made, and their pages."""

from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from connectory.authoring.decks import DECK_FILE
from connectory.v1 import control_pb2, execution_pb2, identifiers_pb2
from tests.workflow_runner.control.flows import ADD, AGAIN, diamond
from tests.workflow_runner.control.harness import Control, serving
from tests.workflow_runner.engine.random_programs import expansion
from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.workflows import (
    INTEGER,
    closure,
    constant,
    integer,
    literal_map,
    node,
    promise,
    signal,
    task,
    workflow,
)
from workflow_runner.plugins.contract import TaskExecutionContext
from workflow_runner.plugins.phases import PhaseInfo, Transition, do_transition

Execution = identifiers_pb2.WorkflowExecutionIdentifier


def node_of(execution: Execution, name: str) -> identifiers_pb2.NodeExecutionIdentifier:
    return identifiers_pb2.NodeExecutionIdentifier(execution_id=execution, node_id=name)


def attempt_of(execution: Execution, name: str, number: int) -> identifiers_pb2.TaskExecutionIdentifier:
    return identifiers_pb2.TaskExecutionIdentifier(
        task_id=ADD.id, node_execution_id=node_of(execution, name), retry_attempt=number
    )


async def ended(control: Control, made: Any, **inputs: Any) -> Execution:
    execution = await control.start(await control.register(made), **inputs)
    assert (await control.ended(execution)).closure.phase == execution_pb2.WorkflowExecution.SUCCEEDED
    return execution


async def test_where_the_time_went() -> None:
    async with serving(plugin=FakePlugin({"left": [AGAIN]})) as control:
        execution = await ended(control, diamond(), a=integer(1))
        request = control_pb2.WorkflowExecutionGetMetricsRequest(id=execution)
        whole = (await control.call("AdminService.GetExecutionMetrics", request)).span
        request.depth = 1
        flat = (await control.call("AdminService.GetExecutionMetrics", request)).span
    assert whole.workflow_id == execution
    nodes = {span.node_id.node_id: span for span in whole.spans}
    assert sorted(nodes) == ["join", "left", "right", "top"]
    for span in nodes.values():
        assert whole.start_time.ToNanoseconds() <= span.start_time.ToNanoseconds()
        assert span.end_time.ToNanoseconds() <= whole.end_time.ToNanoseconds()
    attempts = [span.task_id.retry_attempt for span in nodes["left"].spans if span.HasField("task_id")]
    assert attempts == [0, 1]
    assert not any(span.spans for span in flat.spans)


async def test_an_attempt_has_its_data() -> None:
    async with serving(plugin=FakePlugin({"left": [AGAIN]})) as control:
        execution = await ended(control, diamond(), a=integer(1))
        answers = [
            await control.call(
                "AdminService.GetTaskExecutionData",
                control_pb2.TaskExecutionGetDataRequest(id=attempt_of(execution, "left", number)),
            )
            for number in (0, 1)
        ]
    assert [answer.full_inputs for answer in answers] == [literal_map(a=integer(2), b=integer(1))] * 2
    assert [answer.full_outputs for answer in answers] == [literal_map(), literal_map(o=integer(3))]


class Expanding(FakePlugin):
    """Its task `dynamic` leaves nodes behind."""

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        if ctx.template.id.name == "dynamic":
            return do_transition(PhaseInfo.expansion(expansion(ctx.inputs, ADD_ONE)))
        return await super().handle(ctx)


ADD_ONE = task("t", inputs={"a": INTEGER}, outputs={"o": INTEGER})


async def test_what_a_task_made_is_told_as_a_workflow_with_its_nodes() -> None:
    dynamic = task("dynamic", inputs={"a": INTEGER}, outputs={"o": INTEGER})
    made = closure(
        workflow(
            "making",
            [node("n", dynamic, {"a": constant(integer(2))})],
            outputs={"o": (INTEGER, promise("n", "o"))},
        ),
        [dynamic, ADD_ONE],
    )
    async with serving(plugin=Expanding()) as control:
        execution = await ended(control, made)
        request = control_pb2.GetDynamicNodeWorkflowRequest(id=node_of(execution, "n"))
        told = await control.call("AdminService.GetDynamicNodeWorkflow", request)
        identifier = identifiers_pb2.TaskExecutionIdentifier(
            task_id=dynamic.id, node_execution_id=node_of(execution, "n")
        )
        listed = control_pb2.NodeExecutionForTaskListRequest(task_execution_id=identifier)
        nodes = (await control.call("AdminService.ListNodeExecutionsForTask", listed)).node_executions
        inner = nodes[0].id.node_id
        with pytest.raises(grpc.aio.AioRpcError, match="made no nodes"):
            await control.call(
                "AdminService.GetDynamicNodeWorkflow",
                control_pb2.GetDynamicNodeWorkflowRequest(id=node_of(execution, inner)),
            )
    names = {each.id for each in told.compiled_workflow.primary.template.nodes}
    assert {each.id.node_id for each in nodes} == {f"n.{name}" for name in names}


async def test_a_gate_is_asked_for_by_name() -> None:
    async with serving() as control:
        made = closure(workflow("gated", [signal("gate", "how-many", INTEGER)]), [])
        execution = await control.start(await control.register(made))
        identifier = identifiers_pb2.SignalIdentifier(signal_id="how-many", execution_id=execution)
        request = control_pb2.SignalGetOrCreateRequest(id=identifier, type=INTEGER)
        assert (await control.call("SignalService.GetOrCreateSignal", request)).type == INTEGER
        request.type.simple += 1
        with pytest.raises(grpc.aio.AioRpcError, match="type is not that of signal"):
            await control.call("SignalService.GetOrCreateSignal", request)
        request.id.signal_id = "other"
        with pytest.raises(grpc.aio.AioRpcError, match="waits for no signal 'other'"):
            await control.call("SignalService.GetOrCreateSignal", request)


def write(deck: Path) -> None:
    deck.parent.mkdir(parents=True, exist_ok=True)
    deck.write_text("<p>how it went</p>")


async def test_a_deck_is_fetched_by_an_address_for_a_while(tmp_path: Path) -> None:
    made = diamond()
    made.tasks[0].template.metadata.generates_deck.value = True
    async with serving(output_prefix=str(tmp_path)) as control:
        execution = await ended(control, made, a=integer(1))
        request = control_pb2.CreateDownloadLinkRequest(
            artifact_type=control_pb2.ARTIFACT_TYPE_DECK, node_execution_id=node_of(execution, "top")
        )
        with pytest.raises(grpc.aio.AioRpcError, match="has written no deck"):
            await control.call("DataProxyService.CreateDownloadLink", request)
        get = control_pb2.NodeExecutionGetRequest(id=node_of(execution, "top"))
        deck = (await control.call("AdminService.GetNodeExecution", get)).closure.deck_uri
        assert deck == f"{tmp_path}/{execution.name}/top/0/{DECK_FILE}"
        write(Path(deck))
        answer = await control.call("DataProxyService.CreateDownloadLink", request)
        async with httpx.AsyncClient() as http:
            assert (await http.get(answer.signed_url[0])).text == "<p>how it went</p>"
