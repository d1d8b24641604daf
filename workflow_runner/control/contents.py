"""All that runs when a workflow does: its closure, with the workflows that its launch plans start."""

from connectory.errors import NotFoundError
from connectory.v1 import control_pb2, identifiers_pb2, launch_plan_pb2, workflow_pb2
from workflow_runner.control.catalog.contract import Catalog, Entity, EntityKey
from workflow_runner.control.identifiers import described, entity_key
from workflow_runner.control.linking import merge, plan_keys
from workflow_runner.control.references import check_references
from workflow_runner.control.times import timestamp

__all__ = ["contents_of", "plan_in", "plan_of"]


async def contents_of(
    catalog: Catalog, key: EntityKey, *operations: str
) -> tuple[workflow_pb2.CompiledWorkflowClosure, tuple[launch_plan_pb2.LaunchPlan, ...]]:
    """The closure of a registered workflow and of all that its launch plans start, and these launch plans.

    NotFoundError when something of it is not registered. PermissionDeniedError when the caller may do none of the
    operations where something of it is registered, however deep.
    """
    closure = await _closure(catalog, key)
    check_references(closure, *operations)
    plans: dict[EntityKey, launch_plan_pb2.LaunchPlan] = {}
    pending = plan_keys(closure)
    while pending:
        each = pending.pop()
        if each not in plans:
            plans[each] = await plan_in(catalog, each)
            other = await _closure(catalog, entity_key(plans[each].spec.workflow_id, identifiers_pb2.WORKFLOW))
            check_references(other, *operations)
            merge(closure, other)
            pending.extend(plan_keys(other))
    return closure, tuple(plans.values())


async def plan_in(catalog: Catalog, key: EntityKey) -> launch_plan_pb2.LaunchPlan:
    """A registered launch plan, or NotFoundError."""
    entity = await catalog.get(key)
    if entity is None:
        raise NotFoundError(f"there is no {described(key)}")
    return plan_of(entity)


def plan_of(entity: Entity) -> launch_plan_pb2.LaunchPlan:
    """A launch plan as it stands."""
    plan = launch_plan_pb2.LaunchPlan.FromString(entity.body)
    plan.closure.state = launch_plan_pb2.ACTIVE if entity.active else launch_plan_pb2.INACTIVE
    plan.closure.updated_at.CopyFrom(timestamp(entity.updated_at))
    return plan


async def _closure(catalog: Catalog, key: EntityKey) -> workflow_pb2.CompiledWorkflowClosure:
    entity = await catalog.get(key)
    if entity is None:
        raise NotFoundError(f"there is no {described(key)}")
    return control_pb2.Workflow.FromString(entity.body).closure.compiled_workflow
