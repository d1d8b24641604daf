"""An authored workflow with everything that running it takes: also what its launch plans start."""

from collections.abc import Sequence
from dataclasses import dataclass

from connectory.authoring.workflow_base import WorkflowBase
from connectory.compiler import compile_launch_plan, compile_workflow, launch_plans_of
from connectory.v1 import launch_plan_pb2, workflow_pb2
from workflow_runner.sources import mark_sources

__all__ = ["Bundle", "bundle"]


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What `Runner.start` takes."""

    closure: workflow_pb2.CompiledWorkflowClosure
    launch_plans: Sequence[launch_plan_pb2.LaunchPlan]


def bundle(workflow: WorkflowBase) -> Bundle:
    """Compile the workflow and the workflows of the launch plans that its nodes start, all in one version."""
    closure = compile_workflow(workflow)
    identity = closure.primary.template.id
    plans = launch_plans_of(workflow)
    project, domain, version = identity.project, identity.domain, identity.version
    for plan in plans:
        _add(closure, compile_workflow(plan.workflow, project=project, domain=domain, version=version))
    compiled = [compile_launch_plan(plan, project=project, domain=domain, version=version) for plan in plans]
    mark_sources(task.template for task in closure.tasks)
    return Bundle(closure=closure, launch_plans=compiled)


def _add(closure: workflow_pb2.CompiledWorkflowClosure, other: workflow_pb2.CompiledWorkflowClosure) -> None:
    """Add what is not there yet."""
    workflows = {known.template.id.name for known in (closure.primary, *closure.sub_workflows)}
    candidates = (other.primary, *other.sub_workflows)
    closure.sub_workflows.extend(each for each in candidates if each.template.id.name not in workflows)
    tasks = {known.template.id.name for known in closure.tasks}
    closure.tasks.extend(each for each in other.tasks if each.template.id.name not in tasks)
    plans = {known.template.id.name for known in closure.launch_plans}
    closure.launch_plans.extend(each for each in other.launch_plans if each.template.id.name not in plans)
