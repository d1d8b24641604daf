"""Creates one job with the stubs of the real flyteidl, as an engine does: with a deadline, and again when it fails.

    python -m tests.connector_server.flyte_creator '{"target": ..., "task_type": ..., "custom": {...}, ...}'

Prints one JSON object: the handle that it ended up with, and the status of each try. It imports nothing of this
project.
"""

import json
import sys
import time
from dataclasses import dataclass
from typing import Any

import grpc
from flyteidl.admin import agent_pb2
from flyteidl.core import tasks_pb2
from flyteidl.service import agent_pb2_grpc

_TRY_AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


@dataclass(frozen=True)
class Order:
    """What to create, and how hard to try."""

    targets: list[str]
    task_type: str
    custom: dict[str, Any]
    execution: str = "f1"
    attempt: int = 0
    name: str = "tests.task"
    deadline: float = 20.0
    tries: int = 1
    pause: float = 0.05
    """Seconds between tries."""
    poll: bool = False
    """Whether to ask for the job's phase at the end."""


def main(order: Order) -> None:
    tried, handle, phase = [], None, None
    for number in range(order.tries):
        with grpc.insecure_channel(order.targets[number % len(order.targets)]) as channel:
            stub = agent_pb2_grpc.AsyncAgentServiceStub(channel)
            try:
                handle = stub.CreateTask(_request(order), timeout=order.deadline).resource_meta
                tried.append("OK")
                if order.poll:
                    category = agent_pb2.TaskCategory(name=order.task_type)
                    request = agent_pb2.GetTaskRequest(task_category=category, resource_meta=handle)
                    phase = stub.GetTask(request, timeout=20).resource.phase
                break
            except grpc.RpcError as error:
                failed: Any = error
                tried.append(f"{failed.code().name}: {failed.details()}")
                if failed.code() not in _TRY_AGAIN:
                    break
                time.sleep(order.pause)
    print(json.dumps({"handle": None if handle is None else handle.decode(), "tried": tried, "phase": phase}))


def _request(order: Order) -> Any:
    template = tasks_pb2.TaskTemplate(type=order.task_type)
    template.id.name = order.name
    template.custom.update(order.custom)
    request = agent_pb2.CreateTaskRequest(template=template)
    task = request.task_execution_metadata.task_execution_id
    task.retry_attempt = order.attempt
    task.node_execution_id.node_id = "n0"
    task.node_execution_id.execution_id.project = "flytesnacks"
    task.node_execution_id.execution_id.domain = "development"
    task.node_execution_id.execution_id.name = order.execution
    return request


if __name__ == "__main__":
    main(Order(**json.loads(sys.argv[1])))
