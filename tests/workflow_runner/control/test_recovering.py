"""Recoveries with a choice, through the control API."""

from pathlib import Path

import pytest

from connectory.errors import InvalidTaskError, PermissionDeniedError, StoreError, UnavailableError, UserError
from connectory.v1 import control_pb2, execution_pb2, identifiers_pb2, workflow_pb2
from tests.workflow_runner.control.flows import FAILED, diamond
from tests.workflow_runner.control.harness import Control, serving
from tests.workflow_runner.control.test_access import clients, registered, tokens
from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.workflows import constant, integer

__all__ = ["tokens"]

Change = control_pb2.NodeChange
SUCCEEDED = execution_pb2.WorkflowExecution.SUCCEEDED


def mended() -> workflow_pb2.CompiledWorkflowClosure:
    """The second version: (a + 1 + 1) + (a + 1 + 10)"""
    made = diamond(version="2")
    right = made.primary.template.nodes[2]
    next(each for each in right.inputs if each.var == "b").binding.CopyFrom(constant(integer(10)))
    return made


async def failed(control: Control) -> identifiers_pb2.WorkflowExecutionIdentifier:
    plan = await control.register(diamond())
    execution = await control.start(plan, "first", a=integer(1))
    await control.ended(execution)
    return execution


def started(plugin: FakePlugin) -> list[str]:
    return sorted(node for call, node, _ in plugin.calls if call == "start")


async def test_what_would_become_of_each_node_is_told_and_nothing_is_done() -> None:
    plugin = FakePlugin({"join": [FAILED]})
    async with serving(plugin=plugin) as control:
        execution = await failed(control)
        version = await control.register(mended())
        plugin.calls.clear()
        request = control_pb2.CompareRecoveryRequest(id=execution, rerun=["left"], launch_plan=version)
        changes = (await control.client.compare_recovery(request)).changes
        assert {each.node_id: each.change for each in changes} == {
            "top": Change.REUSED,
            "left": Change.ASKED_FOR,
            "right": Change.CHANGED,
            "join": Change.UNFINISHED,
        }
        assert not plugin.calls
        request.rerun.append("nobody")
        with pytest.raises(UserError, match="has no node 'nobody' to run again; it has top, left, right, join"):
            await control.client.compare_recovery(request)


async def test_what_was_accepted_is_begun_with_its_choice_by_the_next_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = f"sqlite:///{tmp_path / 'runner.db'}"

    async def broken(*_: object, **__: object) -> str:
        raise StoreError("the disk is full")

    async with serving(store, FakePlugin({"join": [FAILED]})) as control:
        execution = await failed(control)
        version = await control.register(mended())
        monkeypatch.setattr("workflow_runner.control.starting.recover", broken)
        request = control_pb2.BeginRecoveryRequest(id=execution, rerun=["left"], launch_plan=version, name="second")
        with pytest.raises(UnavailableError, match="the disk is full"):
            await control.client.begin_recovery(request)
    monkeypatch.undo()
    plugin = FakePlugin()
    async with serving(store, plugin) as control:
        second = identifiers_pb2.WorkflowExecutionIdentifier(project="p", domain="d", name="second")
        ended = await control.ended(second)
        assert (ended.closure.phase, ended.closure.workflow_id.version) == (SUCCEEDED, "2")
        data = await control.client.get_execution_data(control_pb2.WorkflowExecutionGetDataRequest(id=second))
        assert data.full_outputs.literals["o"] == integer(3 + 12)
    assert started(plugin) == ["join", "left", "right"]


async def test_another_workflow_is_no_version_of_what_ran() -> None:
    async with serving(plugin=FakePlugin({"join": [FAILED]})) as control:
        execution = await failed(control)
        other = await control.register(diamond("another"))
        request = control_pb2.BeginRecoveryRequest(id=execution, launch_plan=other)
        with pytest.raises(InvalidTaskError, match="runs 'another', and execution 'first' ran 'diamond'"):
            await control.client.begin_recovery(request)


async def test_who_may_not_launch_may_not_recover(tokens: Path) -> None:
    async with serving(tokens=tokens) as control, clients(control) as by:
        plan = await registered(by["author"])
        created = control_pb2.ExecutionCreateRequest(project="p", domain="d", name="first")
        created.spec.launch_plan.CopyFrom(plan)
        created.inputs.literals["a"].CopyFrom(integer(1))
        execution = (await by["starter"].create_execution(created)).id
        async for _ in by["starter"].watch_execution(control_pb2.WatchExecutionRequest(id=execution)):
            pass
        request = control_pb2.BeginRecoveryRequest(id=execution)
        for refused in ("reader", "author", "elsewhere", "nobody"):
            with pytest.raises(PermissionDeniedError, match=f"{refused} may not launch in p/d"):
                await by[refused].begin_recovery(request)
        foreign = control_pb2.BeginRecoveryRequest(id=execution, launch_plan=plan)
        foreign.launch_plan.project = "other"
        with pytest.raises(PermissionDeniedError, match="starter may not launch in other/d"):
            await by["starter"].begin_recovery(foreign)
        logs = control_pb2.GetNodeLogsRequest(
            id=identifiers_pb2.NodeExecutionIdentifier(node_id="top", execution_id=execution)
        )
        with pytest.raises(PermissionDeniedError, match="elsewhere may not read in p/d"):
            await anext(by["elsewhere"].get_node_logs(logs))
        assert (await by["starter"].begin_recovery(request)).id.name
