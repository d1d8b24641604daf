"""The default launch plan of a workflow: its inputs as parameters, with defaults."""

from connectory.authoring.conversion import conversion_context, type_registry
from connectory.authoring.location import authoring_error
from connectory.authoring.template import CompileSettings
from connectory.authoring.workflow_base import WorkflowBase
from connectory.errors import TypeConversionError
from connectory.v1 import identifiers_pb2, interface_pb2, launch_plan_pb2

__all__ = ["compile_launch_plan", "parameters"]


def parameters(workflow: WorkflowBase) -> interface_pb2.ParameterMap:
    """Every input of the workflow, with its default or as required."""
    result = interface_pb2.ParameterMap()
    for name, variable in workflow.typed_interface.inputs.variables.items():
        parameter = result.parameters[name]
        parameter.var.CopyFrom(variable)
        annotation = workflow.interface.inputs[name]
        if name not in workflow.interface.defaults:
            parameter.required = True
            continue
        try:
            default = type_registry().to_literal(
                workflow.interface.defaults[name], variable.type, conversion_context(), annotation=annotation
            )
        except TypeConversionError as error:
            raise authoring_error(
                f"the default of input '{name}' of workflow '{workflow.name}' does not fit its type: {error}",
                location=workflow.location,
            ) from error
        parameter.default.CopyFrom(default)
    return result


def compile_launch_plan(
    workflow: WorkflowBase, *, project: str = "default", domain: str = "development", version: str = ""
) -> launch_plan_pb2.LaunchPlan:
    """The launch plan that every workflow has: named as it, and changing nothing about it."""
    settings = CompileSettings(project=project, domain=domain, version=version)
    expected = parameters(workflow)
    return launch_plan_pb2.LaunchPlan(
        id=settings.identifier(identifiers_pb2.LAUNCH_PLAN, workflow.name),
        spec=launch_plan_pb2.LaunchPlanSpec(
            workflow_id=settings.identifier(identifiers_pb2.WORKFLOW, workflow.name), default_inputs=expected
        ),
        closure=launch_plan_pb2.LaunchPlanClosure(
            expected_inputs=expected, expected_outputs=workflow.typed_interface.outputs
        ),
    )
