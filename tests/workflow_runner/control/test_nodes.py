"""Nodes and attempts through the control API: phases, times, errors, pages, data."""

from dataclasses import replace

import pytest

from connectory.connector.configs import plain
from connectory.connector.contract import LogLink
from connectory.errors import NotFoundError
from connectory.v1 import control_pb2, execution_pb2, identifiers_pb2, literals_pb2, workflow_pb2
from connectory_cli.remote_views import Shown
from tests.workflow_runner.control.flows import ADD, AGAIN, FAILED, diamond
from tests.workflow_runner.control.harness import Control, serving
from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.workflows import (
    INTEGER,
    array,
    closure,
    constant,
    integer,
    node,
    promise,
    task,
    types_list,
    workflow,
)
from workflow_runner.plugins.phases import PhaseInfo

Node = execution_pb2.NodeExecution
Task = execution_pb2.TaskExecution
Execution = identifiers_pb2.WorkflowExecutionIdentifier


async def ended(control: Control, made: workflow_pb2.CompiledWorkflowClosure, **inputs: int) -> Execution:
    execution = await control.start(await control.register(made), **{k: integer(v) for k, v in inputs.items()})
    await control.ended(execution)
    return execution


async def nodes(control: Control, execution: Execution, **fields: object) -> dict[str, execution_pb2.NodeExecution]:
    request = control_pb2.NodeExecutionListRequest(workflow_execution_id=execution, **fields)  # type: ignore[arg-type]
    return {each.id.node_id: each for each in (await control.client.list_node_executions(request)).node_executions}


async def attempts(control: Control, execution: Execution, name: str) -> list[execution_pb2.TaskExecution]:
    request = control_pb2.TaskExecutionListRequest(
        node_execution_id=identifiers_pb2.NodeExecutionIdentifier(execution_id=execution, node_id=name)
    )
    request.sort_by.key, request.sort_by.direction = "retry_attempt", 1
    return list((await control.client.list_task_executions(request)).task_executions)


async def test_every_attempt_is_told_with_its_error_and_pages() -> None:
    links = (LogLink(name="log", uri="https://logs.example/1"),)
    facts = '{"query": "q-7", "rows": 3}'
    failing = replace(PhaseInfo.retryable_failure("FLAKY", "it flickered", log_links=links), facts=facts)
    async with serving(plugin=FakePlugin({"top": [failing]})) as control:
        execution = await ended(control, diamond(), a=1)
        first, second = await attempts(control, execution, "top")
        assert [first.closure.phase, second.closure.phase] == [Task.RETRYABLE_FAILED, Task.SUCCEEDED]
        assert (first.closure.error.code, first.closure.error.message) == ("FLAKY", "it flickered")
        assert [log.uri for log in first.closure.logs] == ["https://logs.example/1"]
        assert plain(first.closure.custom_info) == {"query": "q-7", "rows": 3}
        assert not second.closure.HasField("custom_info")
        assert first.id.task_id.name == "add"
        assert first.closure.HasField("duration")
        assert not second.closure.HasField("error")
        top = (await nodes(control, execution))["top"]
        assert top.closure.started_at == first.closure.started_at
        assert top.closure.phase == Node.SUCCEEDED


async def test_a_failure_stops_what_comes_after_it() -> None:
    async with serving(plugin=FakePlugin({"left": [FAILED]})) as control:
        execution = await ended(control, diamond(), a=1)
        found = await nodes(control, execution)
        assert found["left"].closure.phase == Node.FAILED
        assert found["left"].closure.error.message == "it broke"
        assert found["join"].closure.phase == Node.SKIPPED
        assert await attempts(control, execution, "join") == []


async def test_what_waits_is_in_the_whole_tree_only() -> None:
    plugin = FakePlugin({"top": ["hold"]})
    async with serving(plugin=plugin) as control:
        execution = await control.start(await control.register(diamond()), a=integer(1))
        await plugin.holding.wait()
        assert list(await nodes(control, execution)) == ["top"]
        whole = await nodes(control, execution, whole_tree=True)
        assert {name: each.closure.phase for name, each in whole.items()} == {
            "top": Node.RUNNING,
            **dict.fromkeys(("left", "right", "join"), Node.UNDEFINED),
        }
        (attempt,) = await attempts(control, execution, "top")
        assert (attempt.closure.phase, attempt.closure.reason) == (Task.RUNNING, "holding top")


async def test_nodes_within_nodes_are_found_by_their_parent() -> None:
    inner = workflow(
        "inner",
        [node("add", ADD, {"a": promise("", "a"), "b": constant(integer(1))})],
        inputs={"a": INTEGER},
        outputs={"o": (INTEGER, promise("add", "o"))},
    )
    outer = workflow(
        "outer",
        [node("n0", inner, {"a": promise("", "a")})],
        inputs={"a": INTEGER},
        outputs={"o": (INTEGER, promise("n0", "o"))},
    )
    async with serving() as control:
        execution = await ended(control, closure(outer, [ADD], [inner]), a=1)
        (parent,) = (await nodes(control, execution)).values()
        assert (parent.id.node_id, parent.metadata.is_parent_node, parent.metadata.name) == ("n0", True, "inner")
        (child,) = (await nodes(control, execution, unique_parent_id="n0")).values()
        assert (child.id.node_id, child.metadata.spec_node_id, child.metadata.is_parent_node) == (
            "n0.add",
            "add",
            False,
        )
        assert await attempts(control, execution, "n0") == []
        with pytest.raises(NotFoundError, match="has no node 'n7'"):
            await nodes(control, execution, unique_parent_id="n7")


async def test_nodes_are_filtered_and_paged() -> None:
    async with serving(plugin=FakePlugin({"left": [AGAIN, FAILED]})) as control:
        execution = await ended(control, diamond(), a=1)
        assert list(await nodes(control, execution, filters="eq(phase,FAILED)")) == ["left"]
        assert list(await nodes(control, execution, filters="value_in(node_id,top;left)", limit=1)) != []
        assert len(await nodes(control, execution, limit=3)) == 3


async def test_a_node_has_its_data_and_where_to_find_it() -> None:
    async with serving() as control:
        execution = await ended(control, diamond(), a=1)
        identifier = identifiers_pb2.NodeExecutionIdentifier(execution_id=execution, node_id="top")
        data = await control.client.get_node_execution_data(control_pb2.NodeExecutionGetDataRequest(id=identifier))
        assert data.full_inputs.literals["a"] == integer(1)
        assert data.full_outputs.literals["o"] == integer(2)
        got = await control.client.get_data(control_pb2.GetDataRequest(flyte_url=data.flyte_urls.outputs))
        assert got.literal_map == data.full_outputs
        one = await control.client.get_data(control_pb2.GetDataRequest(flyte_url=f"{data.flyte_urls.outputs}/o"))
        assert one.literal == integer(2)
        with pytest.raises(NotFoundError, match="there are: o"):
            await control.client.get_data(control_pb2.GetDataRequest(flyte_url=f"{data.flyte_urls.outputs}/x"))


async def test_an_array_is_one_attempt_that_tells_of_its_repetitions() -> None:
    double = task("double", inputs={"a": types_list(INTEGER)}, outputs={"o": types_list(INTEGER)})
    made = closure(
        workflow(
            "mapped",
            [array("all", double, {"a": promise("", "a")})],
            inputs={"a": types_list(INTEGER)},
            outputs={"o": (types_list(INTEGER), promise("all", "o"))},
        ),
        [double],
    )
    plugin = FakePlugin({"all.1": [FAILED]})
    numbers = literals_pb2.Literal(
        collection=literals_pb2.LiteralCollection(literals=[integer(each) for each in range(3)])
    )
    async with serving(plugin=plugin) as control:
        execution = await control.start(await control.register(made), a=numbers)
        await control.ended(execution)
        found = (await nodes(control, execution))["all"]
        assert (found.metadata.is_array, found.metadata.is_parent_node) == (True, False)
        (attempt,) = await attempts(control, execution, "all")
        assert attempt.closure.phase == Task.FAILED
        phases = {each.index: each.phase for each in attempt.closure.metadata.external_resources}
        assert phases[1] == Task.FAILED
        assert set(await nodes(control, execution, unique_parent_id="all")) == {"all.0", "all.1", "all.2"}
        assert [each.id.retry_attempt for each in await attempts(control, execution, "all.1")] == [0]


async def test_an_array_of_workflows_has_no_attempts_of_its_own() -> None:
    add_one = workflow(
        "add_one",
        [node("n", ADD, {"a": promise("", "a"), "b": constant(integer(1))})],
        inputs={"a": INTEGER},
        outputs={"o": (INTEGER, promise("n", "o"))},
    )
    made = closure(
        workflow(
            "all_of_them",
            [array("all", add_one, {"a": promise("", "a")}, own_interface=True)],
            inputs={"a": types_list(INTEGER)},
            outputs={"o": (types_list(INTEGER), promise("all", "o"))},
        ),
        [ADD],
        [add_one],
    )
    numbers = literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=[integer(1), integer(2)]))
    async with serving() as control:
        execution = await control.start(await control.register(made), a=numbers)
        request = control_pb2.WatchExecutionRequest(id=execution)
        shown = Shown()
        async for answer in control.client.watch_execution(request):
            shown.take(answer)
        assert (await nodes(control, execution))["all"].closure.phase == Node.SUCCEEDED
        assert await attempts(control, execution, "all") == []
        assert await attempts(control, execution, "all.0") == []
        assert [each.closure.phase for each in await attempts(control, execution, "all.0.n")] == [Task.SUCCEEDED]
        assert {each.id for each in shown.view().nodes} == {"all", "all.0", "all.0.n", "all.1", "all.1.n"}
