"""Executions as they change."""

import asyncio
import itertools
from collections.abc import Sequence

import pytest

from connectory.errors import NotFoundError, UnavailableError
from connectory.v1 import control_pb2, execution_pb2, identifiers_pb2
from tests.workflow_runner.control.flows import ADD, AGAIN, diamond
from tests.workflow_runner.control.harness import Control, serving
from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.workflows import INTEGER, closure, constant, integer, node, promise, workflow
from workflow_runner.store.contract import LogRecord

Execution = execution_pb2.WorkflowExecution
Node = execution_pb2.NodeExecution
Answer = control_pb2.WatchExecutionResponse


async def watched(control: Control, execution: identifiers_pb2.WorkflowExecutionIdentifier) -> list[Answer]:
    request = control_pb2.WatchExecutionRequest(id=execution)
    return [answer async for answer in control.client.watch_execution(request)]


async def test_what_changes_of_nodes_and_attempts_is_told_until_the_end() -> None:
    plugin = FakePlugin({"top": ["hold", None], "left": [AGAIN]})
    async with serving(plugin=plugin) as control:
        execution = await control.start(await control.register(diamond()), a=integer(1))
        watching = asyncio.create_task(watched(control, execution))
        await plugin.holding.wait()
        plugin.release("top")
        told = await watching
        assert told[-1].execution.closure.phase == Execution.SUCCEEDED
        nodes: dict[str, list[int]] = {}
        for answer in told:
            if answer.HasField("node_execution"):
                nodes.setdefault(answer.node_execution.id.node_id, []).append(answer.node_execution.closure.phase)
        assert set(nodes) == {"top", "left", "right", "join"}
        assert {phases[-1] for phases in nodes.values()} == {Node.SUCCEEDED}
        attempts = {each.task_execution.id.retry_attempt for each in told if _is_attempt_of(each, "left")}
        assert 1 in attempts
        assert all(one != other for one, other in itertools.pairwise(told))


async def test_the_log_is_not_read_for_every_change(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [node(f"n{number}", ADD, {"a": promise("", "a"), "b": constant(integer(1))}) for number in range(50)]
    plugin = FakePlugin({"n0": ["hold"]})
    async with serving(plugin=plugin) as control:
        read, logs = control.runner.store.log, []

        async def counted(execution_id: str) -> Sequence[LogRecord]:
            logs.append(execution_id)
            return await read(execution_id)

        monkeypatch.setattr(control.runner.store, "log", counted)
        execution = await control.start(
            await control.register(closure(workflow("wide", nodes, inputs={"a": INTEGER}), [ADD])), a=integer(1)
        )
        watching = asyncio.create_task(watched(control, execution))
        await plugin.holding.wait()
        plugin.release("n0")
        told = await watching
        assert {answer.node_execution.id.node_id for answer in told if answer.HasField("node_execution")} == {
            each.id for each in nodes
        }
        assert len(logs) < 10


async def test_one_that_has_ended_is_told_as_it_stands() -> None:
    async with serving() as control:
        execution = await control.start(await control.register(diamond()), a=integer(1))
        await control.ended(execution)
        told = await watched(control, execution)
        assert sum(answer.HasField("node_execution") for answer in told) == 4
        assert [answer.execution.closure.phase for answer in told if answer.HasField("execution")] == [
            Execution.SUCCEEDED
        ]


async def test_an_unknown_execution_cannot_be_watched() -> None:
    async with serving() as control:
        with pytest.raises(NotFoundError, match="nothing"):
            await watched(control, identifiers_pb2.WorkflowExecutionIdentifier(project="p", domain="d", name="nothing"))


async def test_a_server_that_stops_says_so_to_those_who_watch() -> None:
    plugin = FakePlugin({"top": ["hold"]})
    async with serving(plugin=plugin) as control:
        execution = await control.start(await control.register(diamond()), a=integer(1))
        await plugin.holding.wait()
        watching = asyncio.create_task(watched(control, execution))
        begun = await anext(aiter(control.client.watch_execution(control_pb2.WatchExecutionRequest(id=execution))))
        assert begun.WhichOneof("change")
        control.server.health.drain()
        with pytest.raises(UnavailableError, match="the server is stopping"):
            await watching


def _is_attempt_of(answer: Answer, node: str) -> bool:
    return answer.HasField("task_execution") and answer.task_execution.id.node_execution_id.node_id == node
