"""From a workflow as it is registered to a closure with all that it calls, checked."""

from collections.abc import Iterator

from connectory.compiler import check
from connectory.compiler.targets import called_by, every_node
from connectory.errors import InvalidTaskError
from connectory.v1 import control_pb2, identifiers_pb2, interface_pb2, launch_plan_pb2, workflow_pb2
from workflow_runner.control.catalog.contract import Catalog, EntityKey
from workflow_runner.control.compiled import compiled
from workflow_runner.control.identifiers import described, entity_key

__all__ = ["compiled_plan", "link", "merge", "plan_keys"]


async def link(catalog: Catalog, spec: control_pb2.WorkflowSpec) -> workflow_pb2.CompiledWorkflowClosure:
    """The closure of a workflow: what its nodes call is taken from the spec, or else from what is registered.

    InvalidTaskError names the node that calls what there is not, or lists everything else that is wrong.
    """
    closure = workflow_pb2.CompiledWorkflowClosure(
        primary=compiled(spec.template), sub_workflows=[compiled(each) for each in spec.sub_workflows]
    )
    optional: dict[bytes, frozenset[str]] = {}
    templates = [spec.template, *spec.sub_workflows]
    included = {entity_key(template.id, identifiers_pb2.WORKFLOW) for template in templates}
    for template in templates:
        for node in _nodes(template):
            called = called_by(node)
            if called is not None:
                where = f"node {node.id!r} of workflow {template.id.name!r}"
                await _include(catalog, closure, included, called, where, optional)
    problems = [
        problem
        for problem in check(closure)
        if problem.variable not in _defaulted(closure, problem.workflow, problem.node, optional)
    ]
    if problems:
        raise InvalidTaskError("\n".join(map(str, problems)))
    return closure


async def _include(
    catalog: Catalog,
    closure: workflow_pb2.CompiledWorkflowClosure,
    included: set[EntityKey],
    called: identifiers_pb2.Identifier,
    where: str,
    optional: dict[bytes, frozenset[str]],
) -> None:
    key = entity_key(called, called.resource_type)
    if key in included:
        return
    entity = await catalog.get(key)
    if entity is None:
        raise InvalidTaskError(f"{where} calls {described(key)}, which is not registered; register that first")
    included.add(key)
    if key.kind == identifiers_pb2.TASK:
        closure.tasks.append(control_pb2.Task.FromString(entity.body).closure.compiled_task)
    elif key.kind == identifiers_pb2.WORKFLOW:
        other = control_pb2.Workflow.FromString(entity.body).closure.compiled_workflow
        merge(closure, other)
    else:
        plan = launch_plan_pb2.LaunchPlan.FromString(entity.body)
        closure.launch_plans.append(compiled_plan(plan))
        expected = plan.closure.expected_inputs.parameters
        optional[_id(plan.id)] = frozenset(name for name, each in expected.items() if not each.required)


def compiled_plan(plan: launch_plan_pb2.LaunchPlan) -> workflow_pb2.CompiledLaunchPlan:
    """What a caller of a launch plan must know of it."""
    inputs = {name: each.var for name, each in plan.closure.expected_inputs.parameters.items()}
    interface = interface_pb2.TypedInterface(
        inputs=interface_pb2.VariableMap(variables=inputs), outputs=plan.closure.expected_outputs
    )
    template = workflow_pb2.LaunchPlanTemplate(id=plan.id, interface=interface, fixed_inputs=plan.spec.fixed_inputs)
    return workflow_pb2.CompiledLaunchPlan(template=template)


def merge(closure: workflow_pb2.CompiledWorkflowClosure, other: workflow_pb2.CompiledWorkflowClosure) -> None:
    """Add what the other one has and this one has not; its primary becomes one of the sub-workflows."""
    workflows = {_id(each.template.id) for each in (closure.primary, *closure.sub_workflows)}
    candidates = (other.primary, *other.sub_workflows)
    closure.sub_workflows.extend(each for each in candidates if _id(each.template.id) not in workflows)
    tasks = {_id(each.template.id) for each in closure.tasks}
    closure.tasks.extend(each for each in other.tasks if _id(each.template.id) not in tasks)
    plans = {_id(each.template.id) for each in closure.launch_plans}
    closure.launch_plans.extend(each for each in other.launch_plans if _id(each.template.id) not in plans)


def plan_keys(closure: workflow_pb2.CompiledWorkflowClosure) -> list[EntityKey]:
    """The launch plans that nodes of a closure start."""
    return [entity_key(plan.template.id, identifiers_pb2.LAUNCH_PLAN) for plan in closure.launch_plans]


def _defaulted(
    closure: workflow_pb2.CompiledWorkflowClosure, workflow: str, node: str, optional: dict[bytes, frozenset[str]]
) -> frozenset[str]:
    """Inputs that a node need not give, since the launch plan that it starts has defaults."""
    for template in (closure.primary.template, *(each.template for each in closure.sub_workflows)):
        for each in _nodes(template) if template.id.name == workflow else ():
            called = called_by(each)
            if each.id == node and called is not None:
                given = {binding.var for binding in each.inputs}
                return optional.get(_id(called), frozenset()) - given
    return frozenset()


def _nodes(template: workflow_pb2.WorkflowTemplate) -> Iterator[workflow_pb2.Node]:
    yield from every_node(template.nodes)
    if template.HasField("failure_node"):
        yield from every_node([template.failure_node])


def _id(identifier: identifiers_pb2.Identifier) -> bytes:
    return identifier.SerializeToString(deterministic=True)
