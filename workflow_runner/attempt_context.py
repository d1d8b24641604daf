"""What a plugin is told of an attempt, taken from the state of its execution."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from connectory.v1 import connector_pb2, launch_plan_pb2, tasks_pb2
from workflow_runner.engine.graph import NodeSpec
from workflow_runner.engine.retry import user_retries
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import NodeState, State
from workflow_runner.launches import attempt_place, launches_around
from workflow_runner.plugins.context import TaskExecutionContext
from workflow_runner.plugins.memory import AttemptMemory
from workflow_runner.plugins.node_calls import NodeCalls
from workflow_runner.plugins.services import AskedServices
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
    services: AskedServices,
) -> tuple[TaskExecutionContext, AttemptResources]:
    """The context of an attempt of a task node that has begun, and its tokens."""
    node = state.nodes[path]
    task = node.spec.task
    if task is None or node.inputs is None:
        raise ValueError(f"node {path!r} has no task to attempt")
    launches = launches_around(state, path)
    output_prefix = attempt_place(state, path, attempt, launches)
    adopted = node.adopted if attempt == 0 else None
    if adopted is not None:  # asked for in the words in which it was begun
        output_prefix, task = adopted.output_prefix, tasks_pb2.TaskTemplate.FromString(adopted.template)
    resources = AttemptResources(setup.quotas, remembered, key, Scope(state.project, state.domain), wake)
    ctx = TaskExecutionContext(
        execution=state.execution,
        node=path,
        attempt=attempt,
        key=key,
        template=task,
        inputs=node.inputs,
        describe=partial(
            _describe, node, attempt, state.execution, state.project, state.domain, state.settings, launches
        ),
        project=state.project,
        domain=state.domain,
        output_prefix=output_prefix,
        resumed=resumed or adopted is not None,
        state=remembered,
        wake=wake,
        resource_manager=resources,
        setup=setup,
        nodes=nodes,
        services=services,
    )
    return ctx, resources


def _describe(
    node: NodeState,
    attempt: int,
    execution: str,
    project: str,
    domain: str,
    settings: ExecutionSettings,
    launches: Sequence[launch_plan_pb2.LaunchPlanSpec],
) -> connector_pb2.TaskExecutionMetadata:
    """An attempt's metadata."""
    spec = node.spec
    metadata = connector_pb2.TaskExecutionMetadata(
        max_attempts=user_retries(spec) + 1,
        interruptible=_interruptible(spec) and not _was_interrupted_enough(node, settings),
        labels=settings.labels or _first(plan.labels.values for plan in launches),
        annotations=settings.annotations or _first(plan.annotations.values for plan in launches),
    )
    if settings.run_as:
        metadata.identity.ParseFromString(settings.run_as)
    for plan in launches:
        if not metadata.HasField("identity") and plan.security_context.HasField("run_as"):
            metadata.identity.CopyFrom(plan.security_context.run_as)
    if metadata.HasField("identity"):
        metadata.k8s_service_account = metadata.identity.k8s_service_account
    identifier = metadata.task_execution_id
    identifier.retry_attempt = attempt
    if spec.task is not None:
        identifier.task_id.CopyFrom(spec.task.id)
    identifier.node_execution_id.node_id = node.path
    named = identifier.node_execution_id.execution_id
    named.project, named.domain, named.name = project, domain, execution
    if spec.node.task_node.HasField("overrides"):
        metadata.overrides.CopyFrom(spec.node.task_node.overrides)
    return metadata


def _was_interrupted_enough(node: NodeState, settings: ExecutionSettings) -> bool:
    """Whether another system error would be the end, so that this attempt had better not be interrupted."""
    return 0 < settings.system_retries <= node.failures.get("system", 0)


def _first(said: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    return next((each for each in said if each), {})


def _interruptible(spec: NodeSpec) -> bool:
    """What the node says, or else its task, or else its workflow."""
    for metadata in (spec.node.metadata, spec.task.metadata if spec.task is not None else None):
        if metadata is not None and metadata.WhichOneof("interruptible_value") is not None:
            return metadata.interruptible
    return spec.interruptible
