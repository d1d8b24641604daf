"""What connector services are asked on behalf of an attempt."""

from connectory.connector.contract import TaskCategory
from connectory.v1 import connector_pb2 as pb
from workflow_runner.plugins.contract import TaskExecutionContext

__all__ = ["category_of", "create_request", "delete_request", "get_request", "header"]


def category_of(ctx: TaskExecutionContext) -> TaskCategory:
    """The category of the attempt's task."""
    return TaskCategory(ctx.template.type, ctx.template.task_type_version)


def _wire_category(ctx: TaskExecutionContext) -> pb.TaskCategory:
    return pb.TaskCategory(name=ctx.template.type, version=ctx.template.task_type_version)


def create_request(ctx: TaskExecutionContext) -> pb.CreateTaskRequest:
    """Ask for the attempt's job."""
    return pb.CreateTaskRequest(
        inputs=ctx.inputs,
        template=ctx.template,
        output_prefix=ctx.output_prefix,
        task_execution_metadata=ctx.metadata,
        idempotency_key=ctx.key,
    )


def header(ctx: TaskExecutionContext) -> pb.CreateRequestHeader:
    """Ask for the attempt's work, before its inputs."""
    return pb.CreateRequestHeader(
        template=ctx.template,
        output_prefix=ctx.output_prefix,
        task_execution_metadata=ctx.metadata,
        idempotency_key=ctx.key,
    )


def get_request(ctx: TaskExecutionContext, handle: bytes) -> pb.GetTaskRequest:
    """Ask how a job stands."""
    return pb.GetTaskRequest(
        task_type=ctx.template.type,
        resource_meta=handle,
        task_category=_wire_category(ctx),
        output_prefix=ctx.output_prefix,
    )


def delete_request(ctx: TaskExecutionContext, handle: bytes) -> pb.DeleteTaskRequest:
    """Ask for the end of a job."""
    return pb.DeleteTaskRequest(task_type=ctx.template.type, resource_meta=handle, task_category=_wire_category(ctx))
