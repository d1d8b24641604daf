"""Launch plans: a workflow's inputs as parameters, and all that is said about its executions."""

from collections.abc import Sequence

from connectory.authoring.calling import takes_none
from connectory.authoring.conversion import conversion_context, type_registry
from connectory.authoring.entity import Entity
from connectory.authoring.graph import Graph
from connectory.authoring.launch_plan import LaunchPlan
from connectory.authoring.location import authoring_error
from connectory.authoring.map_task import MapNode
from connectory.authoring.node import Node
from connectory.authoring.refusals import refusing
from connectory.authoring.template import CompileSettings
from connectory.authoring.workflow_base import WorkflowBase
from connectory.errors import TypeConversionError
from connectory.v1 import identifiers_pb2, interface_pb2, launch_plan_pb2

__all__ = ["compile_launch_plan", "launch_plans_in", "launch_plans_of", "parameters"]


def parameters(entity: Entity) -> interface_pb2.ParameterMap:
    """Every input of the workflow or launch plan, with its default or as required; optional ones may be left out."""
    result = interface_pb2.ParameterMap()
    for name, variable in entity.typed_interface.inputs.variables.items():
        parameter = result.parameters[name]
        parameter.var.CopyFrom(variable)
        annotation = entity.interface.inputs[name]
        if name not in entity.interface.defaults and not takes_none(annotation):
            parameter.required = True
            continue
        if entity.interface.defaults.get(name) is None:
            parameter.default.scalar.none_type.SetInParent()
            continue
        try:
            default = type_registry().to_literal(
                entity.interface.defaults[name], variable.type, conversion_context(), annotation=annotation
            )
        except TypeConversionError as error:
            raise authoring_error(
                f"the default of input '{name}' of {entity.kind} '{entity.name}' does not fit its type: {error}",
                location=entity.location,
            ) from error
        parameter.default.CopyFrom(default)
    return result


@refusing
def compile_launch_plan(
    plan: LaunchPlan | WorkflowBase,
    *,
    project: str = "default",
    domain: str = "development",
    version: str = "",
) -> launch_plan_pb2.LaunchPlan:
    """A launch plan; of a workflow, the default one, which is named as it and changes nothing about it."""
    plan = LaunchPlan.get_or_create(plan) if isinstance(plan, WorkflowBase) else plan
    if not isinstance(plan, LaunchPlan):
        raise authoring_error(f"{plan!r} is no launch plan and no workflow")
    settings = CompileSettings(project=project, domain=domain, version=version)
    expected = parameters(plan)
    active = launch_plan_pb2.ACTIVE if plan.settings.auto_activate else launch_plan_pb2.INACTIVE
    return launch_plan_pb2.LaunchPlan(
        id=settings.identifier(identifiers_pb2.LAUNCH_PLAN, plan.name),
        spec=_spec(plan, settings.identifier(identifiers_pb2.WORKFLOW, plan.workflow.name), expected),
        closure=launch_plan_pb2.LaunchPlanClosure(
            state=active, expected_inputs=expected, expected_outputs=plan.workflow.typed_interface.outputs
        ),
    )


def _spec(
    plan: LaunchPlan, workflow: identifiers_pb2.Identifier, expected: interface_pb2.ParameterMap
) -> launch_plan_pb2.LaunchPlanSpec:
    said = plan.settings
    location = said.raw_output_data_config.output_location_prefix if said.raw_output_data_config else ""
    return launch_plan_pb2.LaunchPlanSpec(
        workflow_id=workflow,
        entity_metadata=launch_plan_pb2.LaunchPlanMetadata(
            schedule=said.schedule.to_proto() if said.schedule else None,
            notifications=[notification.to_proto() for notification in said.notifications],
        ),
        default_inputs=expected,
        fixed_inputs=plan.fixed_literals,
        labels=launch_plan_pb2.Labels(values=said.labels.values if said.labels else {}),
        annotations=launch_plan_pb2.Annotations(values=said.annotations.values if said.annotations else {}),
        raw_output_data_config=launch_plan_pb2.RawOutputDataConfig(output_location_prefix=location),
        max_parallelism=said.max_parallelism or 0,
        security_context=said.security_context.to_proto() if said.security_context else None,
        overwrite_cache=bool(said.overwrite_cache),
        concurrency_policy=said.concurrency.to_proto() if said.concurrency else None,
    )


def launch_plans_of(workflow: WorkflowBase) -> Sequence[LaunchPlan]:
    """The launch plans that a workflow's nodes start, also by way of sub-workflows and of other launch plans."""
    return launch_plans_in(workflow.graph, workflow.name)


def launch_plans_in(graph: Graph, name: str = "") -> Sequence[LaunchPlan]:
    """The same for a graph, which may be that of the workflow of this name."""
    found: dict[str, LaunchPlan] = {}
    pending: list[Graph] = [graph]
    seen = {name}
    while pending:
        graph = pending.pop()
        for entity in _called(graph):
            if isinstance(entity, LaunchPlan):
                found.setdefault(entity.name, entity)
            inner = entity.workflow if isinstance(entity, LaunchPlan) else entity
            if isinstance(inner, WorkflowBase) and inner.name not in seen:
                seen.add(inner.name)
                pending.append(inner.graph)
    return list(found.values())


def _called(graph: Graph) -> list[Entity]:
    entities: list[Entity] = []
    pending: list[Node] = [*graph.nodes, *([graph.failure_node] if graph.failure_node else [])]
    while pending:
        node = pending.pop(0)
        entities.append(node.entity.target if isinstance(node.entity, MapNode) else node.entity)
        pending.extend(node.entity.inner_nodes)
    return entities
