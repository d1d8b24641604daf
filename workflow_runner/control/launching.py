"""From a request to start something to what the runner is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf import wrappers_pb2

from connectory.authoring.own_container import change_variables
from connectory.errors import InvalidTaskError, TypeConversionError
from connectory.types import default_types
from connectory.v1 import control_pb2, launch_plan_pb2, literals_pb2, workflow_pb2
from workflow_runner.control.assembly import Launchable
from workflow_runner.control.output_prefixes import require_allowed
from workflow_runner.engine.settings import ExecutionSettings

__all__ = ["Launch", "given_inputs", "launch_of"]


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What the runner is asked to start."""

    closure: workflow_pb2.CompiledWorkflowClosure
    launch_plans: tuple[launch_plan_pb2.LaunchPlan, ...]
    inputs: literals_pb2.LiteralMap
    settings: ExecutionSettings


def launch_of(
    what: Launchable,
    request: control_pb2.ExecutionCreateRequest,
    *,
    output_prefix: str,
    allowed_prefixes: Sequence[str] | None = None,
) -> Launch:
    """Inputs and settings of an execution: what the request says counts before the launch plan, that before the server.

    InvalidTaskError names an input that is missing, unknown, fixed or of another type, PermissionDeniedError a place
    for outputs that is none of the allowed ones (None: all are).
    """
    spec, plan = request.spec, what.plan.spec
    closure = workflow_pb2.CompiledWorkflowClosure()
    closure.CopyFrom(what.closure)
    interruptible = next((each.interruptible for each in (spec, plan) if each.HasField("interruptible")), None)
    variables = {pair.key: pair.value for pair in (spec.envs if spec.HasField("envs") else plan.envs).values}
    _set_interruptible(closure, interruptible)
    for task in closure.tasks if variables else ():
        change_variables(task.template, variables)
    asked = spec.raw_output_data_config.output_location_prefix
    prefix = asked or plan.raw_output_data_config.output_location_prefix
    require_allowed(prefix, allowed_prefixes)
    within = tuple(_within(each, interruptible, variables, asked) for each in what.launch_plans)
    for each in within:
        require_allowed(each.spec.raw_output_data_config.output_location_prefix, allowed_prefixes, of=each.id.name)
    return Launch(
        closure=closure,
        launch_plans=within,
        inputs=_inputs(what, request),
        settings=ExecutionSettings(
            max_parallelism=spec.max_parallelism or plan.max_parallelism,
            overwrite_cache=spec.overwrite_cache or plan.overwrite_cache,
            output_prefix=prefix or output_prefix,
            labels=dict(spec.labels.values or plan.labels.values),
            annotations=dict(spec.annotations.values or plan.annotations.values),
            run_as=_identity(spec, plan),
        ),
    )


def given_inputs(request: control_pb2.ExecutionCreateRequest) -> literals_pb2.LiteralMap:
    """The inputs that a request brings, where it has them now or where it had them once."""
    return request.inputs if request.HasField("inputs") else request.spec.inputs


def _inputs(what: Launchable, request: control_pb2.ExecutionCreateRequest) -> literals_pb2.LiteralMap:
    given = given_inputs(request)
    expected, fixed = what.plan.closure.expected_inputs.parameters, what.plan.spec.fixed_inputs.literals
    for name in given.literals:
        if name in fixed:
            raise InvalidTaskError(f"inputs[{name!r}] is fixed by the launch plan; leave it out")
        if name not in expected:
            known = ", ".join(map(repr, sorted(expected))) or "none"
            raise InvalidTaskError(f"inputs names {name!r}, which is no input; the inputs are: {known}")
    inputs = literals_pb2.LiteralMap(literals=fixed)
    for name, parameter in expected.items():
        if name in given.literals:
            inputs.literals[name].CopyFrom(given.literals[name])
        elif parameter.HasField("default"):
            inputs.literals[name].CopyFrom(parameter.default)
    try:
        default_types().check_map(inputs, what.closure.primary.template.interface.inputs)
    except TypeConversionError as error:
        raise InvalidTaskError(f"inputs: {error}") from error
    return inputs


def _identity(spec: control_pb2.ExecutionSpec, plan: launch_plan_pb2.LaunchPlanSpec) -> bytes:
    """Under whose name the tasks run; empty: nobody says."""
    said = next(
        (each.security_context.run_as for each in (spec, plan) if each.security_context.HasField("run_as")), None
    )
    return said.SerializeToString(deterministic=True) if said is not None else b""


def _set_interruptible(
    closure: workflow_pb2.CompiledWorkflowClosure, interruptible: wrappers_pb2.BoolValue | None
) -> None:
    if interruptible is not None:
        for workflow in (closure.primary, *closure.sub_workflows):
            workflow.template.metadata_defaults.interruptible = interruptible.value


def _within(
    plan: launch_plan_pb2.LaunchPlan,
    interruptible: wrappers_pb2.BoolValue | None,
    variables: Mapping[str, str],
    output_prefix: str,
) -> launch_plan_pb2.LaunchPlan:
    """A launch plan that a node starts: what is said of the whole execution counts before what that says."""
    said = launch_plan_pb2.LaunchPlan()
    said.CopyFrom(plan)
    if interruptible is not None:
        said.spec.interruptible.CopyFrom(interruptible)
    if output_prefix:
        said.spec.ClearField("raw_output_data_config")
    kept = [pair for pair in plan.spec.envs.values if pair.key not in variables]
    del said.spec.envs.values[:]
    said.spec.envs.values.extend(kept)
    return said
