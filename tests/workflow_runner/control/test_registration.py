"""Registering tasks, workflows and launch plans."""

import pytest

from connectory.client.registering import register
from connectory.errors import AlreadyExistsError, InvalidTaskError, NotFoundError
from connectory.v1 import control_pb2, identifiers_pb2, launch_plan_pb2
from tests.workflow_runner.control.flows import ADD, diamond
from tests.workflow_runner.control.harness import Control, plan_of, serving
from tests.workflow_runner.workflows import INTEGER, closure, integer, node, promise, string, workflow

TASK, WORKFLOW, PLAN = identifiers_pb2.TASK, identifiers_pb2.WORKFLOW, identifiers_pb2.LAUNCH_PLAN
PLACE = launch_plan_pb2.NamedEntityIdentifier(project="p", domain="d")


def task_request(name: str = "add", version: str = "1") -> control_pb2.TaskCreateRequest:
    request = control_pb2.TaskCreateRequest(spec=control_pb2.TaskSpec(template=ADD))
    request.id.CopyFrom(ADD.id)
    request.id.name, request.id.version = name, version
    return request


async def test_the_same_content_again_is_known_and_other_content_is_refused() -> None:
    async with serving() as control:
        request = task_request()
        await control.client.create_task(request)
        with pytest.raises(AlreadyExistsError, match="with the same content") as same:
            await control.client.create_task(request)
        assert same.value.reason == "SAME_CONTENT"
        request.spec.template.metadata.retries.retries = 9
        with pytest.raises(InvalidTaskError, match="register under another version") as other:
            await control.client.create_task(request)
        assert other.value.reason == "DIFFERENT_CONTENT"
        kept = await control.client.get_task(control_pb2.ObjectGetRequest(id=request.id))
        assert kept.closure.compiled_task.template.metadata.retries.retries == 1


async def test_registering_all_of_it_twice_changes_nothing() -> None:
    async with serving() as control:
        made = diamond()
        first = await register(control.client, [made], [plan_of(made)])
        again = await register(control.client, [made], [plan_of(made)])
        assert [each.identifier for each in first] == [each.identifier for each in again]
        assert {each.is_new for each in first} == {True}
        assert {each.is_new for each in again} == {False}


@pytest.mark.parametrize("part", ["project", "domain", "name", "version"])
async def test_an_incomplete_identifier_is_refused(part: str) -> None:
    async with serving() as control:
        request = task_request()
        request.id.ClearField(part)
        with pytest.raises(InvalidTaskError, match=f"id.{part} is empty"):
            await control.client.create_task(request)


@pytest.mark.parametrize(("name", "said"), [("a\0b", "a character that is none"), ("é" * 251, "has 502 bytes")])
@pytest.mark.parametrize("part", ["project", "domain", "name", "version"])
async def test_what_no_store_can_keep_by_its_name_is_refused(part: str, name: str, said: str) -> None:
    async with serving() as control:
        request = task_request()
        setattr(request.id, part, name)
        with pytest.raises(InvalidTaskError, match=rf"id\.{part} .*{said}"):
            await control.client.create_task(request)
        with pytest.raises(InvalidTaskError, match=said):
            await control.client.get_task(control_pb2.ObjectGetRequest(id=request.id))


async def test_a_workflow_is_refused_when_its_task_is_not_registered() -> None:
    async with serving() as control:
        template = diamond().primary.template
        request = control_pb2.WorkflowCreateRequest(id=template.id, spec=control_pb2.WorkflowSpec(template=template))
        with pytest.raises(InvalidTaskError, match="node 'top' of workflow 'diamond' calls task 'add'"):
            await control.client.create_workflow(request)


async def test_a_workflow_is_checked_before_it_is_registered() -> None:
    made = closure(workflow("loose", [node("n0", ADD, {"a": promise("", "x")})], inputs={"x": INTEGER}), [ADD])
    async with serving() as control:
        with pytest.raises(InvalidTaskError, match="node 'n0': input 'b' is missing; it takes"):
            await register(control.client, [made])
        with pytest.raises(NotFoundError):
            await control.client.get_workflow(control_pb2.ObjectGetRequest(id=made.primary.template.id))


async def test_a_closure_has_all_that_its_workflow_calls() -> None:
    async with serving() as control:
        plan = await control.register(diamond())
        plan.resource_type = WORKFLOW
        found = await control.client.get_workflow(control_pb2.ObjectGetRequest(id=plan))
        compiled = found.closure.compiled_workflow
        assert [each.template.id.name for each in compiled.tasks] == ["add"]
        assert sorted(compiled.primary.connections.downstream["top"].ids) == ["left", "right"]
        assert found.closure.HasField("created_at")


async def test_a_node_starts_a_registered_launch_plan_with_its_defaults() -> None:
    async with serving() as control:
        inner = await control.register(diamond("inner"))
        preset = launch_plan_pb2.LaunchPlan(id=inner)
        preset.id.name = "preset"
        preset.spec.workflow_id.CopyFrom(inner)
        preset.spec.workflow_id.resource_type = WORKFLOW
        preset.spec.default_inputs.parameters["a"].default.CopyFrom(integer(10))
        await control.client.create_launch_plan(launch_plan_pb2.LaunchPlanCreateRequest(id=preset.id, spec=preset.spec))
        outer = closure(workflow("outer", [], outputs={"o": (INTEGER, promise("n0", "o"))}), [])
        outer.primary.template.nodes.add(id="n0").workflow_node.launchplan_ref.CopyFrom(preset.id)
        execution = await control.start(await control.register(outer))
        await control.ended(execution)
        data = await control.client.get_execution_data(control_pb2.WorkflowExecutionGetDataRequest(id=execution))
        assert data.full_outputs.literals["o"] == integer(25)


async def test_a_launch_plan_that_does_not_fit_its_workflow_is_refused() -> None:
    async with serving() as control:
        plan = plan_of(diamond())
        with pytest.raises(NotFoundError, match="there is no workflow 'diamond'"):
            await create(control, plan)
        await register(control.client, [diamond()])
        plan.spec.fixed_inputs.literals["z"].CopyFrom(integer(1))
        with pytest.raises(InvalidTaskError, match="fixed_inputs names 'z'"):
            await create(control, plan)
        plan.spec.fixed_inputs.Clear()
        plan.spec.default_inputs.parameters["a"].default.CopyFrom(string("x"))
        with pytest.raises(InvalidTaskError, match=r"default_inputs\['a'\]"):
            await create(control, plan)


async def test_one_version_of_a_launch_plan_is_active() -> None:
    async with serving() as control:
        asked = launch_plan_pb2.ActiveLaunchPlanRequest(
            id=launch_plan_pb2.NamedEntityIdentifier(project="p", domain="d", name="diamond")
        )
        plans = [await control.register(diamond(version=version)) for version in ("1", "2")]
        with pytest.raises(NotFoundError, match="no version of launch plan 'diamond' is active"):
            await control.client.get_active_launch_plan(asked)
        for plan in plans:
            await control.client.update_launch_plan(
                launch_plan_pb2.LaunchPlanUpdateRequest(id=plan, state=launch_plan_pb2.ACTIVE)
            )
            assert (await control.client.get_active_launch_plan(asked)).id.version == plan.version
        states = {
            each.id.version: each.closure.state
            for each in (
                await control.client.list_launch_plans(control_pb2.ResourceListRequest(id=asked.id))
            ).launch_plans
        }
        assert states == {"1": launch_plan_pb2.INACTIVE, "2": launch_plan_pb2.ACTIVE}
        await control.client.update_launch_plan(
            launch_plan_pb2.LaunchPlanUpdateRequest(id=plans[1], state=launch_plan_pb2.INACTIVE)
        )
        with pytest.raises(NotFoundError):
            await control.client.get_active_launch_plan(asked)


async def test_versions_are_listed_newest_first_and_by_filters() -> None:
    async with serving() as control:
        for version in ("1", "2", "3"):
            await control.client.create_task(task_request(version=version))
        await control.client.create_task(task_request(name="other"))

        async def versions(name: str = "add", **fields: object) -> list[str]:
            place = launch_plan_pb2.NamedEntityIdentifier(project="p", domain="d", name=name)
            request = control_pb2.ResourceListRequest(id=place, **fields)  # type: ignore[arg-type]
            return [each.id.version for each in (await control.client.list_tasks(request)).tasks]

        assert await versions() == ["3", "2", "1"]
        assert await versions(filters="eq(version,2)") == ["2"]
        assert await versions(limit=1) == ["3"]
        assert len(await versions(name="")) == 4


async def create(control: Control, plan: launch_plan_pb2.LaunchPlan) -> None:
    await control.client.create_launch_plan(launch_plan_pb2.LaunchPlanCreateRequest(id=plan.id, spec=plan.spec))
