"""What running a registered entity takes: its closure with all workflows that its launch plans start."""

from dataclasses import dataclass

from connectory.errors import InvalidTaskError, NotFoundError
from connectory.v1 import control_pb2, identifiers_pb2, launch_plan_pb2, tasks_pb2, workflow_pb2
from workflow_runner.control.catalog.contract import Catalog, EntityKey
from workflow_runner.control.compiled import compiled
from workflow_runner.control.contents import contents_of, plan_in
from workflow_runner.control.identifiers import described, entity_key, identifier_of

__all__ = ["Launchable", "assemble"]


@dataclass(frozen=True, kw_only=True)
class Launchable:
    """Something that can be started."""

    closure: workflow_pb2.CompiledWorkflowClosure
    launch_plans: tuple[launch_plan_pb2.LaunchPlan, ...]
    """Those that nodes start."""
    plan: launch_plan_pb2.LaunchPlan
    """The one that is started; of a workflow or a task, one that changes nothing about it."""
    task: str = ""
    """The task, when it is a single one."""


async def assemble(catalog: Catalog, identifier: identifiers_pb2.Identifier) -> Launchable:
    """A launch plan, workflow or task, ready to be started. NotFoundError when it is not registered.

    PermissionDeniedError when something in it, however deep, is registered where the caller has no right to launch.
    """
    match identifier.resource_type:
        case identifiers_pb2.TASK:
            return await _task(catalog, entity_key(identifier, identifiers_pb2.TASK))
        case identifiers_pb2.WORKFLOW:
            key = entity_key(identifier, identifiers_pb2.WORKFLOW)
            plan = launch_plan_pb2.LaunchPlan(spec=launch_plan_pb2.LaunchPlanSpec(workflow_id=identifier_of(key)))
            return await _workflow(catalog, key, plan)
        case identifiers_pb2.LAUNCH_PLAN | identifiers_pb2.UNSPECIFIED:
            plan = await plan_in(catalog, entity_key(identifier, identifiers_pb2.LAUNCH_PLAN))
            return await _workflow(catalog, entity_key(plan.spec.workflow_id, identifiers_pb2.WORKFLOW), plan)
    raise InvalidTaskError("spec.launch_plan names something that cannot be started; name a launch plan")


async def _workflow(catalog: Catalog, key: EntityKey, plan: launch_plan_pb2.LaunchPlan) -> Launchable:
    closure, plans = await contents_of(catalog, key, "launch")
    if not plan.HasField("closure"):
        template = closure.primary.template
        for name, variable in template.interface.inputs.variables.items():
            plan.closure.expected_inputs.parameters[name].var.CopyFrom(variable)
            plan.closure.expected_inputs.parameters[name].required = True
    return Launchable(closure=closure, launch_plans=plans, plan=plan)


async def _task(catalog: Catalog, key: EntityKey) -> Launchable:
    """A workflow of one node around a task, as long as the task's inputs are given."""
    entity = await catalog.get(key)
    if entity is None:
        raise NotFoundError(f"there is no {described(key)}")
    task = control_pb2.Task.FromString(entity.body).closure.compiled_task.template
    template = _around(task, key)
    closure = workflow_pb2.CompiledWorkflowClosure(
        primary=compiled(template),
        tasks=[workflow_pb2.CompiledTask(template=task)],
    )
    plan = launch_plan_pb2.LaunchPlan(spec=launch_plan_pb2.LaunchPlanSpec(workflow_id=template.id))
    for name, variable in task.interface.inputs.variables.items():
        plan.closure.expected_inputs.parameters[name].var.CopyFrom(variable)
        plan.closure.expected_inputs.parameters[name].required = True
    return Launchable(closure=closure, launch_plans=(), plan=plan, task=key.name)


def _around(task: tasks_pb2.TaskTemplate, key: EntityKey) -> workflow_pb2.WorkflowTemplate:
    node = workflow_pb2.Node(id="n0", task_node=workflow_pb2.TaskNode(reference_id=task.id))
    node.metadata.name = key.name.rpartition(".")[2]
    for name in task.interface.inputs.variables:
        binding = workflow_pb2.BindingData(promise=workflow_pb2.OutputReference(node_id="start-node", var=name))
        node.inputs.add(var=name, binding=binding)
    template = workflow_pb2.WorkflowTemplate(interface=task.interface, nodes=[node])
    template.id.CopyFrom(
        identifier_of(EntityKey(identifiers_pb2.WORKFLOW, *key[1:3], f".task.{key.name}", key.version))
    )
    for name in task.interface.outputs.variables:
        binding = workflow_pb2.BindingData(promise=workflow_pb2.OutputReference(node_id=node.id, var=name))
        template.outputs.add(var=name, binding=binding)
    return template
