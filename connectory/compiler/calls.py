"""What the code of an eager task calls while it runs: one node, and all that it takes to run it."""

from collections.abc import Sequence
from dataclasses import dataclass

from connectory.authoring.entity import Entity
from connectory.authoring.launch_plan import LaunchPlan
from connectory.authoring.map_task import MapNode
from connectory.authoring.node import Node
from connectory.authoring.template import CompileSettings
from connectory.authoring.workflow_base import WorkflowBase
from connectory.compiler.compilation import Compilation
from connectory.compiler.launch_plans import compile_launch_plan, launch_plans_of
from connectory.v1 import launch_plan_pb2, workflow_pb2

__all__ = ["CompiledCall", "compile_call"]


@dataclass(frozen=True, kw_only=True)
class CompiledCall:
    """A call, ready to be run."""

    spec: workflow_pb2.DynamicJobSpec
    """One node without inputs, and the tasks and workflows that it takes."""
    launch_plans: Sequence[launch_plan_pb2.LaunchPlan]
    """What launch plans among them start."""


def compile_call(entity: Entity, node_id: str, settings: CompileSettings) -> CompiledCall:
    """A node with this id that runs the entity; its inputs come as literals, beside it."""
    compilation = Compilation(settings)
    node = compilation.node(Node(id=node_id, first_id=node_id, entity=entity, bindings=[], upstream={}))
    plans = _plans(entity)
    for plan in plans:
        compilation.workflow(plan.workflow)
    spec = workflow_pb2.DynamicJobSpec(
        nodes=[node],
        min_successes=1,
        tasks=compilation.templates(),
        subworkflows=[compiled.template for compiled in compilation.sub_workflows()],
    )
    where = {"project": settings.project, "domain": settings.domain, "version": settings.version}
    return CompiledCall(spec=spec, launch_plans=[compile_launch_plan(plan, **where) for plan in plans])


def _plans(entity: Entity) -> Sequence[LaunchPlan]:
    target = entity.target if isinstance(entity, MapNode) else entity
    if isinstance(target, LaunchPlan):
        return [target, *launch_plans_of(target.workflow)]
    return launch_plans_of(target) if isinstance(target, WorkflowBase) else []
