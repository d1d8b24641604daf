"""Launch plans: a workflow together with inputs, a schedule and other settings of its executions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectory.authoring.arguments import teaching
from connectory.authoring.calling import call
from connectory.authoring.conversion import conversion_context, describe, type_registry
from connectory.authoring.entity import Entity
from connectory.authoring.interface import Interface
from connectory.authoring.local_engine import local_engine
from connectory.authoring.location import authoring_error, user_location
from connectory.authoring.node import Overrides
from connectory.authoring.notification import Notification
from connectory.authoring.plan_options import (
    Annotations,
    AuthRole,
    ConcurrencyPolicy,
    Identity,
    Labels,
    RawOutputDataConfig,
    SecurityContext,
)
from connectory.authoring.plan_settings import PlanSettings, require_kind
from connectory.authoring.schedule import OnSchedule, Schedule
from connectory.authoring.workflow_base import WorkflowBase
from connectory.errors import ConnectoryError
from connectory.v1 import literals_pb2, workflow_pb2

__all__ = ["LaunchPlan"]


class LaunchPlan(Entity):
    """A workflow as it is started: by somebody, by its schedule, or as a node that is an execution of its own.

    Make it by `LaunchPlan.create`, or `LaunchPlan.get_or_create`. Called in plain Python, it runs the workflow.
    """

    repeats_as_it_is = True

    def __init__(self, name: str, workflow: WorkflowBase, settings: PlanSettings, *, location: str | None) -> None:
        if not isinstance(workflow, WorkflowBase):
            raise authoring_error(f"launch plan {name!r} is given {workflow!r}; it starts workflows")
        if not isinstance(name, str) or not name:
            raise authoring_error(f"a launch plan is called by a name, not {name!r}")
        self.workflow = workflow
        self.settings = settings
        super().__init__(name=name, interface=_left_to_give(name, workflow, settings), location=location)
        self.fixed_literals = self._literals(settings.fixed_inputs)
        self._check_kickoff()

    @property
    def kind(self) -> str:
        """What errors call it."""
        return "launch plan"

    @staticmethod
    def get_default_launch_plan(workflow: WorkflowBase) -> LaunchPlan:
        """The launch plan that every workflow has: of its name, with the workflow's `default_options`."""
        return LaunchPlan.get_or_create(workflow)

    @classmethod
    @teaching
    def create(
        cls,
        name: str,
        workflow: WorkflowBase,
        default_inputs: Mapping[str, Any] | None = None,
        fixed_inputs: Mapping[str, Any] | None = None,
        schedule: Schedule | None = None,
        notifications: Sequence[Notification] | None = None,
        labels: Labels | None = None,
        annotations: Annotations | None = None,
        raw_output_data_config: RawOutputDataConfig | None = None,
        max_parallelism: int | None = None,
        security_context: SecurityContext | None = None,
        auth_role: AuthRole | None = None,
        trigger: OnSchedule | None = None,
        overwrite_cache: bool | None = None,
        auto_activate: bool = False,
        concurrency: ConcurrencyPolicy | None = None,
    ) -> LaunchPlan:
        """A new launch plan of this name; `default_inputs` can be changed by whoever starts it, `fixed_inputs` not.

        The workflow must have no other launch plan of this name.
        """
        for role, value in (("default_inputs", default_inputs), ("fixed_inputs", fixed_inputs)):
            require_kind(value, Mapping, role)
        require_kind(notifications, Sequence, "notifications")
        settings = PlanSettings(
            schedule=_schedule(schedule, trigger),
            notifications=tuple(notifications or ()),
            labels=labels,
            annotations=annotations,
            raw_output_data_config=raw_output_data_config,
            max_parallelism=max_parallelism,
            security_context=_security(security_context, auth_role),
            overwrite_cache=overwrite_cache,
            auto_activate=auto_activate,
            concurrency=concurrency,
            default_inputs=dict(default_inputs or {}),
            fixed_inputs=dict(fixed_inputs or {}),
        )
        plan = cls(name, workflow, settings, location=user_location())
        if name in workflow.launch_plans:
            raise authoring_error(f"workflow '{workflow.name}' has a launch plan '{name}' already")
        workflow.launch_plans[name] = plan
        return plan

    @classmethod
    @teaching
    def get_or_create(cls, workflow: WorkflowBase, name: str | None = None, **settings: Any) -> LaunchPlan:
        """The workflow's launch plan of this name; without a name, its default one, which takes no settings.

        Asked again, it is the same object. Other settings for a name that is taken are an error that names them.
        """
        if not isinstance(workflow, WorkflowBase):
            raise authoring_error(f"a launch plan is given {workflow!r}; it starts workflows")
        known: dict[str, LaunchPlan] = workflow.launch_plans
        if name is None:
            if any(value is not None and value is not False for value in settings.values()):
                raise authoring_error("only a launch plan with a name of its own can have settings; give it a name")
            if workflow.name not in known:
                said = PlanSettings() if workflow.default_options is None else workflow.default_options.settings()
                known[workflow.name] = cls(workflow.name, workflow, said, location=user_location())
            return known[workflow.name]
        previous = known.pop(name, None)
        try:
            plan = cls.create(name, workflow, **settings)
        finally:
            if previous is not None:
                known[name] = previous
        if previous is None:
            return plan
        if previous.settings != plan.settings:
            raise authoring_error(
                f"workflow '{workflow.name}' has a launch plan '{name}' with other settings already (it is at "
                f"{previous.location}); use another name"
            )
        return previous

    def node_metadata(self, overrides: Overrides) -> workflow_pb2.NodeMetadata:
        """The metadata of a node that starts it: that of its workflow."""
        return self.workflow.node_metadata(overrides)

    def run(self, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """Run the workflow here, with the fixed inputs."""
        return local_engine().run(self, literals)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return call(self, args, kwargs)

    def _literals(self, values: Mapping[str, Any]) -> literals_pb2.LiteralMap:
        found = literals_pb2.LiteralMap()
        for name, value in values.items():
            annotation = self.workflow.interface.inputs[name]
            declared = self.workflow.typed_interface.inputs.variables[name].type
            try:
                literal = type_registry().to_literal(value, declared, conversion_context(), annotation=annotation)
            except (ConnectoryError, TypeError, ValueError) as error:
                raise authoring_error(
                    f"input '{name}' of launch plan '{self.name}' takes {describe(annotation)}, but is given "
                    f"{value!r}: {error}"
                ) from error
            found.literals[name].CopyFrom(literal)
        return found

    def _check_kickoff(self) -> None:
        schedule = self.settings.schedule
        argument = schedule.kickoff_time_input_arg if schedule else None
        if argument and argument not in self.interface.inputs:
            raise authoring_error(
                f"the schedule of launch plan '{self.name}' gives its time to the input '{argument}', which "
                f"{'is fixed' if argument in self.settings.fixed_inputs else 'does not exist'}"
            )


def _left_to_give(name: str, workflow: WorkflowBase, settings: PlanSettings) -> Interface:
    """The workflow's interface without fixed inputs, and with the plan's defaults."""
    interface = workflow.interface
    for role, given in (("default", settings.default_inputs), ("fixed", settings.fixed_inputs)):
        for unknown in [key for key in given if key not in interface.inputs]:
            raise authoring_error(
                f"launch plan '{name}' has the {role} input '{unknown}', which workflow '{workflow.name}' does not "
                f"have; it has {', '.join(interface.inputs) or 'none'}"
            )
    defaults = {**interface.defaults, **settings.default_inputs}
    return Interface(
        inputs={
            key: (kind, defaults[key]) if key in defaults else kind
            for key, kind in interface.inputs.items()
            if key not in settings.fixed_inputs
        },
        outputs=interface.outputs,
        output_tuple=interface.output_tuple,
        keyword_only=frozenset(interface.inputs),
        input_descriptions=interface.input_descriptions,
        output_descriptions=interface.output_descriptions,
    )


def _schedule(schedule: Schedule | None, trigger: OnSchedule | None) -> Schedule | None:
    if trigger is None:
        return schedule
    if schedule is not None:
        raise authoring_error("a launch plan is given both a schedule and a trigger; give one of them")
    require_kind(trigger, OnSchedule, "trigger")
    return trigger.schedule


def _security(context: SecurityContext | None, role: AuthRole | None) -> SecurityContext | None:
    require_kind(role, AuthRole, "auth_role")
    if role is None:
        return context
    if context is not None:
        raise authoring_error("a launch plan is given both a security_context and an auth_role; give one of them")
    return SecurityContext(
        run_as=Identity(iam_role=role.assumable_iam_role, k8s_service_account=role.kubernetes_service_account)
    )
