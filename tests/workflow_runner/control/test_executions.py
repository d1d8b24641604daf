"""Executions through the control API: from their start to their end, and again."""

from pathlib import Path
from typing import Any

import pytest

from connectory.client.registering import register
from connectory.errors import (
    AlreadyExistsError,
    InvalidTaskError,
    NotFoundError,
    StoreError,
    UnavailableError,
    UserError,
)
from connectory.v1 import (
    connector_pb2,
    control_pb2,
    execution_pb2,
    identifiers_pb2,
    launch_plan_pb2,
    literals_pb2,
    workflow_pb2,
)
from tests.workflow_runner.control.flows import FAILED, diamond
from tests.workflow_runner.control.harness import Control, plan_of, request_of, serving
from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.workflows import bindings, closure, constant, integer, string, workflow
from workflow_runner.plugins.contract import TaskExecutionContext
from workflow_runner.plugins.phases import Transition
from workflow_runner.runner import Runner

Phase = execution_pb2.WorkflowExecution
Node = execution_pb2.NodeExecution


async def test_what_is_registered_can_be_started_and_gives_its_outputs() -> None:
    async with serving() as control:
        plan = await control.register(diamond())
        execution = await control.start(plan, a=integer(1))
        assert (execution.project, execution.domain) == ("p", "d")
        ended = await control.ended(execution)
        assert ended.closure.phase == Phase.SUCCEEDED
        assert ended.closure.workflow_id.name == "diamond"
        assert ended.closure.HasField("duration")
        assert ended.closure.created_at.ToDatetime() <= ended.closure.started_at.ToDatetime()
        data = await control.client.get_execution_data(control_pb2.WorkflowExecutionGetDataRequest(id=execution))
        assert data.full_inputs.literals["a"] == integer(1)
        assert data.full_outputs.literals["o"] == integer(7)


async def test_a_name_is_used_once_in_its_project_and_again_in_another() -> None:
    async with serving() as control:
        plan = await control.register(diamond())
        first = await control.start(plan, "nightly", a=integer(1))
        with pytest.raises(AlreadyExistsError, match="nightly"):
            await control.start(plan, "nightly", a=integer(2))
        request = request_of(plan, "nightly", a=integer(3))
        request.project = "other"
        second = (await control.client.create_execution(request)).id
        for execution, outputs in ((first, 7), (second, 11)):
            ended = await control.ended(execution)
            assert (ended.id.project, ended.closure.workflow_id.project) == (execution.project, "p")
            data = await control.client.get_execution_data(control_pb2.WorkflowExecutionGetDataRequest(id=execution))
            assert data.full_outputs.literals["o"] == integer(outputs)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "a"),
        ({"a": string("x")}, "a"),
        ({"a": integer(1), "b": integer(2)}, "names 'b', which is no input; the inputs are: 'a'"),
    ],
)
async def test_inputs_that_do_not_fit_are_refused_and_nothing_is_kept(
    inputs: dict[str, literals_pb2.Literal], message: str
) -> None:
    async with serving() as control:
        plan = await control.register(diamond())
        with pytest.raises(InvalidTaskError, match=message):
            await control.start(plan, "mistaken", **inputs)
        with pytest.raises(NotFoundError, match="mistaken"):
            await control.get(identifiers_pb2.WorkflowExecutionIdentifier(project="p", domain="d", name="mistaken"))


async def test_a_name_that_cannot_be_a_path_is_refused() -> None:
    async with serving() as control:
        plan = await control.register(diamond())
        with pytest.raises(InvalidTaskError, match=r"name '\.\./up' cannot be used"):
            await control.start(plan, "../up", a=integer(1))


async def test_a_launch_plan_has_defaults_and_what_is_fixed() -> None:
    async with serving() as control:
        plain = await control.register(diamond())
        plan = launch_plan_pb2.LaunchPlan(id=plain)
        plan.id.name = "of_five"
        plan.spec.workflow_id.CopyFrom(plain)
        plan.spec.workflow_id.resource_type = identifiers_pb2.WORKFLOW
        plan.spec.default_inputs.parameters["a"].default.CopyFrom(integer(5))
        await control.client.create_launch_plan(launch_plan_pb2.LaunchPlanCreateRequest(id=plan.id, spec=plan.spec))
        await control.ended(await control.start(plan.id, "by-default"))
        plan.id.name = "only_six"
        plan.spec.fixed_inputs.literals["a"].CopyFrom(integer(6))
        await control.client.create_launch_plan(launch_plan_pb2.LaunchPlanCreateRequest(id=plan.id, spec=plan.spec))
        await control.ended(await control.start(plan.id, "fixed"))
        with pytest.raises(InvalidTaskError, match=r"'a'.* is fixed by the launch plan"):
            await control.start(plan.id, a=integer(1))
        assert await outputs_of(control, "by-default") == integer(15)
        assert await outputs_of(control, "fixed") == integer(17)


async def test_a_failed_execution_tells_why_and_is_recovered_without_doing_all_again() -> None:
    plugin = FakePlugin({"join": [FAILED]})
    async with serving(plugin=plugin) as control:
        plan = await control.register(diamond())
        failed = await control.ended(await control.start(plan, "first", a=integer(1)))
        assert failed.closure.phase == Phase.FAILED
        assert (failed.closure.error.code, failed.closure.error.message) == ("BROKEN", "it broke")
        assert failed.closure.error.kind == execution_pb2.ExecutionError.USER
        plugin.script.clear()
        plugin.calls.clear()
        answer = await control.client.recover_execution(
            control_pb2.ExecutionRecoverRequest(id=failed.id, name="second")
        )
        ended = await control.ended(answer.id)
        assert ended.closure.phase == Phase.SUCCEEDED
        assert ended.spec.metadata.mode == control_pb2.ExecutionMetadata.RECOVERED
        assert ended.spec.metadata.reference_execution == failed.id
        assert [node for call, node, _ in plugin.calls if call == "start"] == ["join"]
        nodes = await control.client.list_node_executions(
            control_pb2.NodeExecutionListRequest(workflow_execution_id=answer.id)
        )
        phases = {node.id.node_id: node.closure.phase for node in nodes.node_executions}
        taken = dict.fromkeys(("top", "left", "right"), Node.RECOVERED)
        assert phases == {**taken, "join": Node.SUCCEEDED}


async def test_one_that_has_not_ended_is_not_recovered() -> None:
    async with serving(plugin=FakePlugin({"top": ["hold"]})) as control:
        execution = await control.start(await control.register(diamond()), a=integer(1))
        with pytest.raises(UserError, match="has not ended"):
            await control.client.recover_execution(control_pb2.ExecutionRecoverRequest(id=execution))


async def test_one_that_has_not_ended_is_not_taken_over_by_a_new_one_that_names_it() -> None:
    async with serving(plugin=FakePlugin({"top": ["hold"]})) as control:
        plan = await control.register(diamond())
        execution = await control.start(plan, a=integer(1))
        request = request_of(plan, a=integer(1))
        request.spec.metadata.mode = control_pb2.ExecutionMetadata.RECOVERED
        request.spec.metadata.reference_execution.CopyFrom(execution)
        with pytest.raises(UserError, match="has not ended"):
            await control.client.create_execution(request)
        assert (await control.get(execution)).closure.phase == Phase.RUNNING


async def test_an_execution_is_relaunched_with_its_inputs() -> None:
    async with serving() as control:
        first = await control.start(await control.register(diamond()), "first", a=integer(4))
        request = control_pb2.ExecutionRelaunchRequest(id=first, name="second", overwrite_cache=True)
        second = await control.ended((await control.client.relaunch_execution(request)).id)
        assert second.spec.metadata.mode == control_pb2.ExecutionMetadata.RELAUNCH
        assert second.spec.overwrite_cache
        assert await outputs_of(control, "second") == integer(13)


@pytest.mark.parametrize("by", ["nobody", "plan", "request", "relaunch"])
async def test_kept_results_are_worked_out_anew_when_that_is_asked_for(by: str) -> None:
    plugin, made = FakePlugin(), diamond()
    made.tasks[0].template.metadata.discoverable, made.tasks[0].template.metadata.discovery_version = True, "1"
    plan = plan_of(made)
    plan.spec.overwrite_cache = by == "plan"
    async with serving(plugin=plugin) as control:
        await register(control.client, [made], [plan])
        first = await control.start(plan.id, a=integer(1))
        await control.ended(first)
        plugin.calls.clear()
        request = request_of(plan.id, a=integer(1))
        request.spec.overwrite_cache = by == "request"
        again = control_pb2.ExecutionRelaunchRequest(id=first, overwrite_cache=True)
        client = control.client
        answer = await (client.relaunch_execution(again) if by == "relaunch" else client.create_execution(request))
        assert (await control.ended(answer.id)).closure.phase == Phase.SUCCEEDED
    assert len([node for call, node, _ in plugin.calls if call == "start"]) == (0 if by == "nobody" else 4)


async def test_what_is_terminated_is_aborted_once_its_jobs_are_gone() -> None:
    plugin = FakePlugin({"top": ["hold"]})
    async with serving(plugin=plugin) as control:
        execution = await control.start(await control.register(diamond()), a=integer(1))
        await plugin.holding.wait()
        await control.client.terminate_execution(
            control_pb2.ExecutionTerminateRequest(id=execution, cause="enough of it")
        )
        assert (await control.get(execution)).closure.phase in (Phase.ABORTING, Phase.ABORTED)
        ended = await control.ended(execution)
        assert (ended.closure.phase, ended.closure.abort_metadata.cause) == (Phase.ABORTED, "enough of it")
        assert not plugin.live
        await control.client.terminate_execution(control_pb2.ExecutionTerminateRequest(id=execution))
        assert await control.get(execution) == ended


async def test_lists_are_filtered_sorted_and_paged() -> None:
    async with serving() as control:
        plan = await control.register(diamond())
        for number in range(5):
            await control.ended(await control.start(plan, f"run-{number}", a=integer(number)))
        assert await names(control) == [f"run-{number}" for number in reversed(range(5))]
        assert await names(control, filters="value_in(name,run-1;run-3)+eq(phase,SUCCEEDED)") == ["run-3", "run-1"]
        assert await names(control, filters="contains(name,run-4)") == ["run-4"]
        assert await names(control, filters="ne(phase,SUCCEEDED)") == []
        assert await names(control, filters="gt(created_at,2099-01-01T00:00:00+00:00)") == []
        assert await names(control, filters="eq(workflow.name,diamond)+lt(duration,60)") == await names(control)
        pages, token = [], ""
        while not pages or token:
            request = listing(limit=2, token=token)
            request.sort_by.key, request.sort_by.direction = "name", launch_plan_pb2.Sort.ASCENDING
            answer = await control.client.list_executions(request)
            pages.append([each.id.name for each in answer.executions])
            token = answer.token
        assert pages == [["run-0", "run-1"], ["run-2", "run-3"], ["run-4"]]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ("eq(color,red)", "filters names 'color'; here are created_at"),
        ("phase=RUNNING", "cannot be read at 'phase=RUNNING'"),
        ("eq(created_at,yesterday)", "'yesterday', which is not a time"),
        ("eq(duration,long)", "'long', which is not a number"),
        ("eq(name,a\0b)", "a character that is none at 9"),
    ],
)
async def test_filters_that_cannot_be_read_are_refused(filters: str, message: str) -> None:
    async with serving() as control:
        with pytest.raises(InvalidTaskError) as refused:
            await control.client.list_executions(listing(filters=filters))
        assert message in str(refused.value)


async def test_archived_executions_are_listed_only_when_asked_for() -> None:
    async with serving() as control:
        plan = await control.register(diamond())
        await control.ended(await control.start(plan, "old", a=integer(1)))
        await control.ended(await control.start(plan, "new", a=integer(1)))
        old = identifiers_pb2.WorkflowExecutionIdentifier(project="p", domain="d", name="old")
        await control.client.update_execution(
            control_pb2.ExecutionUpdateRequest(id=old, state=control_pb2.EXECUTION_ARCHIVED)
        )
        assert await names(control) == ["new"]
        assert await names(control, filters="eq(state,EXECUTION_ARCHIVED)") == ["old"]
        assert (await control.get(old)).closure.state_change_details.state == control_pb2.EXECUTION_ARCHIVED


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'runner.db'}"
    plugin = FakePlugin({"top": ["hold"]})
    async with serving(store, plugin) as control:
        execution = await control.start(await control.register(diamond()), "kept", a=integer(1))
        await plugin.holding.wait()
    async with serving(store) as control:
        assert await names(control) == ["kept"]
        await control.runner.adopt()
        assert (await control.ended(execution)).closure.phase == Phase.SUCCEEDED


async def test_what_was_accepted_and_could_not_begin_begins_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = f"sqlite:///{tmp_path / 'runner.db'}"

    async def broken(*_: object, **__: object) -> str:
        raise StoreError("the disk is full")

    async with serving(store) as control:
        plan = await control.register(diamond())
        monkeypatch.setattr(control.runner, "start", broken)
        with pytest.raises(UnavailableError, match="the disk is full"):
            await control.start(plan, "accepted", a=integer(1))
        execution = identifiers_pb2.WorkflowExecutionIdentifier(project="p", domain="d", name="accepted")
        assert (await control.get(execution)).closure.phase == Phase.QUEUED
    async with serving(store) as control:
        assert (await control.ended(execution)).closure.phase == Phase.SUCCEEDED


async def test_what_never_can_begin_keeps_no_server_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = f"sqlite:///{tmp_path / 'runner.db'}"
    begin = Runner.start

    async def full(*_: object, **__: object) -> str:
        raise StoreError("the disk is full")

    async def broken(*given: Any, **settings: Any) -> str:
        if settings["execution_id"] == "bad":
            raise OverflowError("a defect")
        return await begin(*given, **settings)

    async with serving(store) as control:
        plan = await control.register(diamond())
        monkeypatch.setattr(Runner, "start", full)
        for name in ("bad", "good"):
            with pytest.raises(UnavailableError):
                await control.start(plan, name, a=integer(1))
    monkeypatch.setattr(Runner, "start", broken)
    async with serving(store) as control:
        execution = identifiers_pb2.WorkflowExecutionIdentifier(project="p", domain="d", name="good")
        assert (await control.ended(execution)).closure.phase == Phase.SUCCEEDED


@pytest.mark.parametrize("place", ["timeout", "backoff", "sleep"])
async def test_times_that_cannot_be_reckoned_with_are_refused_and_nothing_is_kept(place: str) -> None:
    made = diamond()
    join = made.primary.template.nodes[-1]
    if place == "timeout":
        made.tasks[0].template.metadata.timeout.seconds = 10**15
    elif place == "backoff":
        join.metadata.retries.backoff.cap.seconds = 10**15
    else:
        join.gate_node.sleep.duration.seconds = 10**15
        del made.primary.template.outputs[:]
        made.primary.template.interface.outputs.variables.clear()
    async with serving() as control:
        with pytest.raises(InvalidTaskError, match="give 10,000 years at most"):
            await control.start(await control.register(made), "long", a=integer(1))
        assert await names(control) == []


async def outputs_of(control: Control, name: str) -> literals_pb2.Literal:
    execution = identifiers_pb2.WorkflowExecutionIdentifier(project="p", domain="d", name=name)
    data = await control.client.get_execution_data(control_pb2.WorkflowExecutionGetDataRequest(id=execution))
    return data.full_outputs.literals["o"]


def listing(**fields: object) -> control_pb2.ResourceListRequest:
    place = launch_plan_pb2.NamedEntityIdentifier(project="p", domain="d")
    return control_pb2.ResourceListRequest(id=place, **fields)  # type: ignore[arg-type]


async def names(control: Control, **fields: object) -> list[str]:
    return [each.id.name for each in (await control.client.list_executions(listing(**fields))).executions]


class Listening(FakePlugin):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[connector_pb2.TaskExecutionMetadata] = []

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        self.told.append(ctx.metadata)
        return await super().handle(ctx)


@pytest.mark.parametrize("by_request", [False, True])
async def test_labels_annotations_and_identity_reach_every_task(by_request: bool) -> None:
    plugin = Listening()
    async with serving(plugin=plugin) as control:
        made = diamond()
        plan = plan_of(made)
        plan.spec.labels.values["team"] = "red"
        plan.spec.annotations.values["cost"] = "low"
        plan.spec.security_context.run_as.k8s_service_account = "reader"
        await register(control.client, [made], [plan])
        request = request_of(plan.id, a=integer(1))
        if by_request:
            request.spec.labels.values["team"] = "blue"
            request.spec.security_context.run_as.iam_role = "writer"
        execution = (await control.client.create_execution(request)).id
        assert (await control.ended(execution)).closure.phase == Phase.SUCCEEDED
    told = {each.task_execution_id.node_execution_id.node_id: each for each in plugin.told}
    assert sorted(told) == ["join", "left", "right", "top"]
    for each in told.values():
        assert dict(each.labels) == {"team": "blue" if by_request else "red"}
        assert dict(each.annotations) == {"cost": "low"}
        assert each.identity.iam_role == ("writer" if by_request else "")
        assert each.k8s_service_account == ("" if by_request else "reader")


class Seeing(FakePlugin):
    """Remembers what attempts are given."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, TaskExecutionContext] = {}

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        self.seen[ctx.node] = ctx
        return await super().handle(ctx)


@pytest.mark.parametrize("by_request", [False, True])
async def test_what_a_launch_plan_says_of_its_executions_counts(tmp_path: Path, by_request: bool) -> None:
    """Unless the request says something else."""
    plugin = Seeing()
    plans, requests = tmp_path / "plans", tmp_path / "requests"
    async with serving(plugin=plugin) as control:
        made = diamond()
        made.tasks[0].template.container.image = "busybox"
        plan = plan_of(made)
        request = request_of(plan.id, a=integer(1))
        for said, prefix, limit in ((plan.spec, plans, 1), (request.spec, requests, 2))[: 1 + by_request]:
            said.max_parallelism = limit
            said.interruptible.value = limit == 1
            said.raw_output_data_config.output_location_prefix = str(prefix)
            said.envs.values.add(key="LIMIT", value=str(limit))
        await register(control.client, [made], [plan])
        execution = (await control.client.create_execution(request)).id
        assert (await control.ended(execution)).closure.phase == Phase.SUCCEEDED
    assert plugin.most_live == (2 if by_request else 1)
    ctx = plugin.seen["join"]
    assert ctx.output_prefix.startswith(str(requests if by_request else plans))
    assert ctx.metadata.interruptible is not by_request
    assert {pair.key: pair.value for pair in ctx.template.container.env} == {"LIMIT": "2" if by_request else "1"}


@pytest.mark.parametrize("by_request", [False, True])
async def test_what_an_execution_says_counts_before_what_launch_plans_within_say(by_request: bool) -> None:
    plugin, inner = Seeing(), diamond()
    inner.tasks[0].template.container.image = "busybox"
    within = plan_of(inner)
    within.spec.interruptible.value = False
    within.spec.envs.values.add(key="LEVEL", value="low")
    within.spec.envs.values.add(key="OWN", value="kept")
    starting = workflow_pb2.Node(id="n0", inputs=bindings({"a": constant(integer(1))}))
    starting.workflow_node.launchplan_ref.CopyFrom(within.id)
    outer = workflow("outer", [starting])
    outer.id.version, outer.metadata_defaults.interruptible = "1", True
    request = request_of(outer.id)
    if by_request:
        request.spec.interruptible.value = True
        request.spec.envs.values.add(key="LEVEL", value="high")
    async with serving(plugin=plugin) as control:
        await register(control.client, [inner], [within])
        await register(control.client, [closure(outer, [])])
        execution = (await control.client.create_execution(request)).id
        assert (await control.ended(execution)).closure.phase == Phase.SUCCEEDED
    ctx = plugin.seen["n0.join"]
    assert ctx.metadata.interruptible is by_request
    variables = {pair.key: pair.value for pair in ctx.template.container.env}
    assert variables == {"LEVEL": "high" if by_request else "low", "OWN": "kept"}
