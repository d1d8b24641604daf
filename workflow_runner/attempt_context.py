"""What a plugin is told of an attempt, taken from the state of its execution."""

from collections.abc import Callable

from connectory.v1 import connector_pb2, tasks_pb2
from workflow_runner.engine.graph import NodeSpec
from workflow_runner.engine.retry import user_retries
from workflow_runner.engine.state import NodeState, State
from workflow_runner.plugins.context import TaskExecutionContext
from workflow_runner.plugins.memory import AttemptMemory
from workflow_runner.plugins.node_calls import NodeCalls
from workflow_runner.plugins.setup import SetupContext
from workflow_runner.quotas import Scope
from workflow_runner.resources import AttemptResources

__all__ = ["context_of"]


def context_of(
    state: State,
    path: str,
    attempt: int,
    key: str,
    *,
    resumed: bool,
    remembered: AttemptMemory,
    wake: Callable[[], None],
    setup: SetupContext,
    nodes: NodeCalls,
) -> tuple[TaskExecutionContext, AttemptResources]:
    """The context of an attempt of a task node that has begun, and its tokens."""
    node = state.nodes[path]
    task = node.spec.task
    if task is None or node.inputs is None:
        raise ValueError(f"node {path!r} has no task to attempt")
    prefix = state.settings.output_prefix.rstrip("/")
    output_prefix = f"{prefix}/{state.execution}/{path}/{attempt}" if prefix else ""
    adopted = node.adopted if attempt == 0 else None
    if adopted is not None:  # asked for in the words in which it was begun
        output_prefix, task = adopted.output_prefix, tasks_pb2.TaskTemplate.FromString(adopted.template)
    resources = AttemptResources(setup.quotas, remembered, key=key, scope=Scope(state.project, state.domain), wake=wake)
    ctx = TaskExecutionContext(
        execution=state.execution,
        node=path,
        attempt=attempt,
        key=key,
        template=task,
        inputs=node.inputs,
        metadata=_metadata(state, node, attempt),
        output_prefix=output_prefix,
        resumed=resumed or adopted is not None,
        state=remembered,
        wake=wake,
        resource_manager=resources,
        setup=setup,
        nodes=nodes,
    )
    return ctx, resources


def _metadata(state: State, node: NodeState, attempt: int) -> connector_pb2.TaskExecutionMetadata:
    spec = node.spec
    metadata = connector_pb2.TaskExecutionMetadata(
        max_attempts=user_retries(spec) + 1,
        interruptible=_interruptible(spec) and not _was_interrupted_enough(state, node),
    )
    identifier = metadata.task_execution_id  # filled in place: made apart and copied, it takes four times as long
    identifier.retry_attempt = attempt
    if spec.task is not None:
        identifier.task_id.CopyFrom(spec.task.id)
    identifier.node_execution_id.node_id = node.path
    execution = identifier.node_execution_id.execution_id
    execution.project, execution.domain, execution.name = state.project, state.domain, state.execution
    if spec.node.task_node.HasField("overrides"):
        metadata.overrides.CopyFrom(spec.node.task_node.overrides)
    metadata.labels.update(state.settings.labels)
    metadata.annotations.update(state.settings.annotations)
    return metadata


def _was_interrupted_enough(state: State, node: NodeState) -> bool:
    """Whether another system error would be the end, so that this attempt had better not be interrupted."""
    return 0 < state.settings.system_retries <= node.failures.get("system", 0)


def _interruptible(spec: NodeSpec) -> bool:
    """What the node says, or else its task, or else its workflow."""
    for metadata in (spec.node.metadata, spec.task.metadata if spec.task is not None else None):
        if metadata is not None and metadata.WhichOneof("interruptible_value") is not None:
            return metadata.interruptible
    return spec.interruptible
