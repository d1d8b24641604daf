"""What a dynamic task leaves: the nodes that the engine runs in its place."""

from typing import Any

from connectory.authoring.context import TaskContext, entered
from connectory.authoring.conversion import converting, type_registry
from connectory.authoring.dynamic import DynamicTask
from connectory.authoring.execution import failures_reported
from connectory.authoring.template_settings import settings_from_environment
from connectory.compiler.dynamic import compile_dynamic
from connectory.execute.arguments import Order
from connectory.types import ConversionContext
from connectory.v1 import literals_pb2, workflow_pb2

__all__ = ["plan"]


def plan(
    task: DynamicTask[..., Any],
    inputs: literals_pb2.LiteralMap,
    order: Order,
    *,
    conversion: ConversionContext,
    context: TaskContext,
) -> workflow_pb2.DynamicJobSpec | literals_pb2.LiteralMap:
    """The nodes for these inputs; the outputs themselves when there are no nodes.

    Code that came as an archive comes to the nodes' containers as the same one.
    """
    with failures_reported(), entered(context), converting(conversion):
        values = type_registry().map_to_python(inputs, task.typed_interface.inputs, conversion, task.interface.inputs)
        settings = settings_from_environment()
        return compile_dynamic(
            task,
            values,
            project=context.task_id.project or settings.project,
            domain=context.task_id.domain or settings.domain,
            version=context.task_id.version or settings.version,
            image=settings.image,
            environment=settings.environment,
            distribution=order.distribution,
            distribution_folder=order.distribution_folder,
        )
