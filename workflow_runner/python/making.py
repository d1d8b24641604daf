"""Tasks whose code makes nodes: all of them when it ends, or one after the other while it runs."""

from typing import Any

from connectory.authoring.context import TaskContext, entered
from connectory.authoring.conversion import converting
from connectory.authoring.delegation import delegated
from connectory.authoring.dynamic import DynamicTask
from connectory.authoring.eager_task import EagerTask
from connectory.authoring.execution import execute_task, failures_reported
from connectory.authoring.own_container import variables_of
from connectory.authoring.template import CompileSettings
from connectory.compiler import compile_dynamic
from connectory.types import ConversionContext
from connectory.v1 import literals_pb2, tasks_pb2, workflow_pb2
from workflow_runner.python.calls import Channel
from workflow_runner.python.eager import RemoteCalls
from workflow_runner.python.messages import Expanded, Returned
from workflow_runner.sources import mark_sources

__all__ = ["drive", "expand"]


def drive(
    task: EagerTask[..., Any],
    inputs: literals_pb2.LiteralMap,
    template: tasks_pb2.TaskTemplate,
    channel: Channel,
    conversion: ConversionContext,
    context: TaskContext,
) -> literals_pb2.LiteralMap:
    """Run an eager task; what it calls goes over the channel."""
    calls = RemoteCalls(_settings(template), channel.send, output_prefix=context.output_prefix)
    channel.attach(calls)
    with delegated(calls), converting(conversion):
        return execute_task(task, inputs, conversion=conversion, context=context)


def expand(
    task: DynamicTask[..., Any],
    inputs: literals_pb2.LiteralMap,
    template: tasks_pb2.TaskTemplate,
    context: TaskContext,
) -> Returned | Expanded:
    """Let a dynamic task say which nodes are to be run, under the identifiers of its own."""
    with failures_reported(), entered(context):
        settings = _settings(template)
        made = compile_dynamic(
            task,
            inputs,
            project=settings.project,
            domain=settings.domain,
            version=settings.version,
            image=settings.image,
            environment=settings.environment,
        )
    if isinstance(made, workflow_pb2.DynamicJobSpec):
        mark_sources(made.tasks)
    encoded = made.SerializeToString(deterministic=True)
    if isinstance(made, literals_pb2.LiteralMap):
        return Returned(outputs=encoded)
    return Expanded(nodes=encoded)


def _settings(template: tasks_pb2.TaskTemplate) -> CompileSettings:
    """What a task's code makes has the identifiers of its own, and its surroundings."""
    return CompileSettings(
        project=template.id.project,
        domain=template.id.domain,
        version=template.id.version,
        image=template.container.image,
        environment=variables_of(template),
    )
