"""Small compiled workflows for tests, written by hand."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from connectory.v1 import (
    identifiers_pb2,
    interface_pb2,
    launch_plan_pb2,
    literals_pb2,
    tasks_pb2,
    types_pb2,
    workflow_pb2,
)

Target = tasks_pb2.TaskTemplate | workflow_pb2.WorkflowTemplate | launch_plan_pb2.LaunchPlan

INTEGER = types_pb2.LiteralType(simple=types_pb2.INTEGER)
STRING = types_pb2.LiteralType(simple=types_pb2.STRING)


def identifier(name: str, kind: int = identifiers_pb2.TASK) -> identifiers_pb2.Identifier:
    return identifiers_pb2.Identifier(resource_type=kind, project="p", domain="d", name=name, version="1")


def variables(names: Mapping[str, types_pb2.LiteralType]) -> interface_pb2.VariableMap:
    return interface_pb2.VariableMap(variables={name: interface_pb2.Variable(type=t) for name, t in names.items()})


def task(
    name: str,
    task_type: str = "fake",
    *,
    inputs: Mapping[str, types_pb2.LiteralType] | None = None,
    outputs: Mapping[str, types_pb2.LiteralType] | None = None,
    retries: int = 0,
    timeout: float = 0.0,
    deadline: float = 0.0,
    queued: float = 0.0,
    custom: Mapping[str, Any] | None = None,
    base: float = 0.01,
) -> tasks_pb2.TaskTemplate:
    template = tasks_pb2.TaskTemplate(
        id=identifier(name),
        type=task_type,
        interface=interface_pb2.TypedInterface(inputs=variables(inputs or {}), outputs=variables(outputs or {})),
    )
    template.metadata.retries.retries = retries
    template.metadata.retries.backoff.base.FromTimedelta(timedelta(seconds=base))
    if timeout:
        template.metadata.timeout.FromTimedelta(timedelta(seconds=timeout))
    if deadline:
        template.metadata.timeouts.deadline.FromTimedelta(timedelta(seconds=deadline))
    if queued:
        template.metadata.timeouts.queued_timeout.FromTimedelta(timedelta(seconds=queued))
    if custom is not None:
        template.custom.update(dict(custom))
    return template


def integer(value: int) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(integer=value)))


def string(value: str) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(string_value=value)))


def literal_map(**values: literals_pb2.Literal) -> literals_pb2.LiteralMap:
    return literals_pb2.LiteralMap(literals=values)


def promise(node_id: str, var: str, *path: str | int) -> workflow_pb2.BindingData:
    steps = [
        workflow_pb2.PromiseAttribute(int_value=step)
        if isinstance(step, int)
        else workflow_pb2.PromiseAttribute(string_value=step)
        for step in path
    ]
    reference = workflow_pb2.OutputReference(node_id=node_id, var=var, attr_path=steps)
    return workflow_pb2.BindingData(promise=reference)


def constant(literal: literals_pb2.Literal) -> workflow_pb2.BindingData:
    return workflow_pb2.BindingData(scalar=literal.scalar)


def many(*items: workflow_pb2.BindingData) -> workflow_pb2.BindingData:
    return workflow_pb2.BindingData(collection=workflow_pb2.BindingDataCollection(bindings=items))


def bindings(values: Mapping[str, workflow_pb2.BindingData]) -> list[workflow_pb2.Binding]:
    return [workflow_pb2.Binding(var=var, binding=data) for var, data in values.items()]


def launch_plan(
    name: str, started: workflow_pb2.WorkflowTemplate, *, max_parallelism: int = 0, outputs: str = ""
) -> launch_plan_pb2.LaunchPlan:
    made = launch_plan_pb2.LaunchPlan(id=identifier(name, identifiers_pb2.LAUNCH_PLAN))
    made.spec.workflow_id.CopyFrom(started.id)
    made.spec.max_parallelism = max_parallelism
    made.spec.raw_output_data_config.output_location_prefix = outputs
    return made


def node(
    node_id: str,
    target: Target,
    inputs: Mapping[str, workflow_pb2.BindingData] | None = None,
    *,
    after: Sequence[str] = (),
) -> workflow_pb2.Node:
    made = workflow_pb2.Node(id=node_id, inputs=bindings(inputs or {}), upstream_node_ids=after)
    if isinstance(target, tasks_pb2.TaskTemplate):
        made.task_node.reference_id.CopyFrom(target.id)
    elif isinstance(target, launch_plan_pb2.LaunchPlan):
        made.workflow_node.launchplan_ref.CopyFrom(target.id)
    else:
        made.workflow_node.sub_workflow_ref.CopyFrom(target.id)
    return made


def workflow(
    name: str,
    nodes: Sequence[workflow_pb2.Node],
    *,
    inputs: Mapping[str, types_pb2.LiteralType] | None = None,
    outputs: Mapping[str, tuple[types_pb2.LiteralType, workflow_pb2.BindingData]] | None = None,
    fail_at_once: bool = True,
) -> workflow_pb2.WorkflowTemplate:
    policy = workflow_pb2.WorkflowMetadata
    produced = outputs or {}
    return workflow_pb2.WorkflowTemplate(
        id=identifier(name, identifiers_pb2.WORKFLOW),
        metadata=workflow_pb2.WorkflowMetadata(
            on_failure=policy.FAIL_IMMEDIATELY if fail_at_once else policy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE
        ),
        interface=interface_pb2.TypedInterface(
            inputs=variables(inputs or {}), outputs=variables({var: t for var, (t, _) in produced.items()})
        ),
        nodes=nodes,
        outputs=bindings({var: data for var, (_, data) in produced.items()}),
    )


def closure(
    primary: workflow_pb2.WorkflowTemplate,
    tasks: Sequence[tasks_pb2.TaskTemplate],
    sub_workflows: Sequence[workflow_pb2.WorkflowTemplate] = (),
) -> workflow_pb2.CompiledWorkflowClosure:
    return workflow_pb2.CompiledWorkflowClosure(
        primary=workflow_pb2.CompiledWorkflow(template=primary),
        sub_workflows=[workflow_pb2.CompiledWorkflow(template=template) for template in sub_workflows],
        tasks=[workflow_pb2.CompiledTask(template=template) for template in tasks],
    )


def branch(
    node_id: str,
    inputs: Mapping[str, workflow_pb2.BindingData],
    var: str,
    limit: int,
    above: workflow_pb2.Node,
    otherwise: workflow_pb2.Node | str,
) -> workflow_pb2.Node:
    """A choice: `above` when the variable is above the limit, otherwise the other node, or an error."""
    block = workflow_pb2.IfElseBlock()
    block.case.condition.comparison.operator = workflow_pb2.ComparisonExpression.GT
    block.case.condition.comparison.left_value.var = var
    block.case.condition.comparison.right_value.scalar.CopyFrom(integer(limit).scalar)
    block.case.then_node.CopyFrom(above)
    if isinstance(otherwise, str):
        block.error.message = otherwise
    else:
        block.else_node.CopyFrom(otherwise)
    made = workflow_pb2.Node(id=node_id, inputs=bindings(inputs))
    made.branch_node.if_else.CopyFrom(block)
    return made


def sleeping(node_id: str, seconds: float) -> workflow_pb2.Node:
    made = workflow_pb2.Node(id=node_id)
    made.gate_node.sleep.duration.FromTimedelta(timedelta(seconds=seconds))
    return made


def approval(
    node_id: str, signal_id: str, inputs: Mapping[str, workflow_pb2.BindingData], *, timeout: float = 0
) -> workflow_pb2.Node:
    made = workflow_pb2.Node(id=node_id, inputs=bindings(inputs))
    made.gate_node.approve.signal_id = signal_id
    if timeout:
        made.metadata.timeout.FromTimedelta(timedelta(seconds=timeout))
    return made


def signal(node_id: str, signal_id: str, kind: types_pb2.LiteralType, *, var: str = "o") -> workflow_pb2.Node:
    made = workflow_pb2.Node(id=node_id)
    made.gate_node.signal.signal_id = signal_id
    made.gate_node.signal.type.CopyFrom(kind)
    made.gate_node.signal.output_variable_name = var
    return made


def array(
    node_id: str,
    target: Target,
    inputs: Mapping[str, workflow_pb2.BindingData],
    *,
    parallelism: int = 0,
    ratio: float = 1.0,
    own_interface: bool = False,
    bound: Sequence[str] = (),
) -> workflow_pb2.Node:
    made = workflow_pb2.Node(id=node_id, inputs=bindings(inputs))
    made.array_node.node.CopyFrom(node("item", target))
    made.array_node.parallelism = parallelism
    made.array_node.min_success_ratio = ratio
    made.array_node.bound_inputs.extend(bound)
    made.array_node.is_original_sub_node_interface.value = own_interface
    return made


def types_list(member: types_pb2.LiteralType) -> types_pb2.LiteralType:
    return types_pb2.LiteralType(collection_type=member)
