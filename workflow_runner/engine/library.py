"""What nodes may refer to, and what launch plans say of all that they start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from connectory.authoring.own_container import change_variables
from connectory.v1 import identifiers_pb2, launch_plan_pb2, tasks_pb2, workflow_pb2

__all__ = ["Library", "Said", "extended", "given", "key_of"]


@dataclass(frozen=True, kw_only=True)
class Library:
    """What nodes may refer to, by key."""

    tasks: Mapping[str, tasks_pb2.TaskTemplate]
    workflows: Mapping[str, workflow_pb2.WorkflowTemplate]
    plans: Mapping[str, workflow_pb2.LaunchPlanTemplate]
    launches: Mapping[str, launch_plan_pb2.LaunchPlanSpec] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Said:
    """What launch plans say of everything that they start."""

    interruptible: bool | None = None
    """None: the workflow's own word counts."""
    overwrites_cache: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)

    def but(self, inner: launch_plan_pb2.LaunchPlanSpec) -> Said:
        """The same, with what a launch plan within says."""
        return Said(
            interruptible=inner.interruptible.value if inner.HasField("interruptible") else self.interruptible,
            overwrites_cache=self.overwrites_cache or inner.overwrite_cache,
            variables={**self.variables, **{pair.key: pair.value for pair in inner.envs.values}},
        )


def key_of(identifier: identifiers_pb2.Identifier) -> str:
    """An identifier as a key; tasks, workflows and launch plans are kept apart."""
    return f"{identifier.project}:{identifier.domain}:{identifier.name}:{identifier.version}"


def extended(
    known: Library,
    spec: workflow_pb2.DynamicJobSpec,
    launch_plans: Iterable[launch_plan_pb2.LaunchPlan] = (),
) -> Library:
    """The library with what code brings along that makes nodes."""
    return Library(
        tasks={**known.tasks, **{key_of(template.id): template for template in spec.tasks}},
        workflows={**known.workflows, **{key_of(template.id): template for template in spec.subworkflows}},
        plans=known.plans,
        launches={**known.launches, **{key_of(plan.id): plan.spec for plan in launch_plans}},
    )


def given(library: Library, variables: launch_plan_pb2.Envs) -> Library:
    """The library with these variables in all of its tasks."""
    if not variables.values:
        return library
    values = {pair.key: pair.value for pair in variables.values}
    tasks = {}
    for key, task in library.tasks.items():
        tasks[key] = tasks_pb2.TaskTemplate()
        tasks[key].CopyFrom(task)
        change_variables(tasks[key], values)
    return replace(library, tasks=tasks)
