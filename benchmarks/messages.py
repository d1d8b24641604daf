"""The requests that every server answers: one task with two inputs and one output, about 300 bytes."""

from connectory.v1 import connector_pb2 as pb
from connectory.v1 import execution_pb2, identifiers_pb2, interface_pb2, literals_pb2, tasks_pb2, types_pb2

__all__ = [
    "ASYNC_TYPE",
    "BLOCKING_TYPE",
    "SYNC_TYPE",
    "create_request",
    "delete_request",
    "get_request",
    "sync_requests",
]

ASYNC_TYPE = "bench_async"
SYNC_TYPE = "bench_sync"
BLOCKING_TYPE = "bench_blocking"


def _template(task_type: str) -> tasks_pb2.TaskTemplate:
    integer = interface_pb2.Variable(type=types_pb2.LiteralType(simple=types_pb2.INTEGER))
    text = interface_pb2.Variable(type=types_pb2.LiteralType(simple=types_pb2.STRING))
    template = tasks_pb2.TaskTemplate(
        id=identifiers_pb2.Identifier(
            resource_type=identifiers_pb2.TASK, project="bench", domain="test", name="trivial", version="1"
        ),
        type=task_type,
    )
    template.interface.inputs.variables["n"].CopyFrom(integer)
    template.interface.inputs.variables["s"].CopyFrom(text)
    template.interface.outputs.variables["o0"].CopyFrom(text)
    return template


def _inputs() -> literals_pb2.LiteralMap:
    inputs = literals_pb2.LiteralMap()
    inputs.literals["n"].scalar.primitive.integer = 7
    inputs.literals["s"].scalar.primitive.string_value = "seven"
    return inputs


def create_request(number: int, task_type: str = ASYNC_TYPE) -> bytes:
    """A CreateTaskRequest whose execution id is unique by `number`, so that each is a create of its own."""
    execution = identifiers_pb2.WorkflowExecutionIdentifier(project="bench", domain="test", name=f"e{number}")
    metadata = pb.TaskExecutionMetadata(
        task_execution_id=identifiers_pb2.TaskExecutionIdentifier(
            node_execution_id=identifiers_pb2.NodeExecutionIdentifier(node_id="n0", execution_id=execution)
        )
    )
    return pb.CreateTaskRequest(
        inputs=_inputs(),
        template=_template(task_type),
        output_prefix="/tmp/bench",
        task_execution_metadata=metadata,
    ).SerializeToString()


def get_request(handle: bytes) -> bytes:
    """A GetTaskRequest for a handle that CreateTask returned."""
    return pb.GetTaskRequest(
        task_type=ASYNC_TYPE, task_category=pb.TaskCategory(name=ASYNC_TYPE), resource_meta=handle
    ).SerializeToString()


def delete_request(handle: bytes) -> bytes:
    """A DeleteTaskRequest for a handle that CreateTask returned."""
    return pb.DeleteTaskRequest(
        task_type=ASYNC_TYPE, task_category=pb.TaskCategory(name=ASYNC_TYPE), resource_meta=handle
    ).SerializeToString()


def sync_requests() -> list[bytes]:
    """The header and the inputs of one ExecuteTaskSync call."""
    header = pb.CreateRequestHeader(template=_template(SYNC_TYPE), output_prefix="/tmp/bench")
    return [
        pb.ExecuteTaskSyncRequest(header=header).SerializeToString(),
        pb.ExecuteTaskSyncRequest(inputs=_inputs()).SerializeToString(),
    ]


def running() -> pb.Resource:
    """What the floor answers to GetTask."""
    return pb.Resource(phase=execution_pb2.TaskExecution.RUNNING, message="running")


def succeeded() -> pb.Resource:
    """What the floor answers to ExecuteTaskSync."""
    resource = pb.Resource(phase=execution_pb2.TaskExecution.SUCCEEDED)
    resource.outputs.literals["o0"].scalar.primitive.string_value = "seven"
    return resource
