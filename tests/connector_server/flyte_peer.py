"""Calls a connector server with the stubs of a real Flyte package, in a process of its own.

    python -m tests.connector_server.flyte_peer flyteidl|flyteidl2 TARGET

Prints one JSON object: for each call what was answered. It imports nothing of this project: two packages that describe
the same work must not meet in one process.
"""

import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict

FAMILIES: dict[str, dict[str, str]] = {
    "flyteidl": {
        "messages": "flyteidl.admin.agent_pb2",
        "stubs": "flyteidl.service.agent_pb2_grpc",
        "jobs": "AsyncAgentServiceStub",
        "metadata": "AgentMetadataServiceStub",
        "entity": "Agent",
        "sync": "SyncAgentServiceStub",
    },
    "flyteidl2": {
        "messages": "flyteidl2.connector.connector_pb2",
        "stubs": "flyteidl2.connector.service_pb2_grpc",
        "jobs": "AsyncConnectorServiceStub",
        "metadata": "ConnectorMetadataServiceStub",
        "entity": "Connector",
        "sync": "",
    },
}


_STRING = 3


def main(family: str, target: str) -> None:
    names = FAMILIES[family]
    pb, stubs = importlib.import_module(names["messages"]), importlib.import_module(names["stubs"])
    tasks, literals = (importlib.import_module(f"{family}.core.{name}_pb2") for name in ("tasks", "literals"))
    with grpc.insecure_channel(target) as channel:
        jobs = getattr(stubs, names["jobs"])(channel)
        metadata = getattr(stubs, names["metadata"])(channel)
        results: dict[str, Any] = _jobs(pb, tasks, jobs) | _metadata(pb, metadata, names["entity"])
        if names["sync"]:
            sync = getattr(stubs, names["sync"])(channel)
            results["ExecuteTaskSync"] = _execute(pb, tasks, literals, sync)
    print(json.dumps(results))


def _jobs(pb: Any, tasks: Any, jobs: Any) -> dict[str, Any]:
    def created(task_type: str) -> bytes:
        handle: bytes = jobs.CreateTask(pb.CreateTaskRequest(template=tasks.TaskTemplate(type=task_type))).resource_meta
        return handle

    chatty, full = created("chatty"), created("full")
    category = pb.TaskCategory(name="chatty")
    get = jobs.GetTask(pb.GetTaskRequest(task_category=pb.TaskCategory(name="full"), resource_meta=full))
    named = (
        {"task_type": "full"}
        if "task_type" in pb.GetTaskRequest.DESCRIPTOR.fields_by_name
        else {"task_category": pb.TaskCategory(name="full")}
    )
    deprecated = jobs.GetTask(pb.GetTaskRequest(**named, resource_meta=full))
    logs = jobs.GetTaskLogs(pb.GetTaskLogsRequest(task_category=category, resource_meta=chatty, lines=3, token="2"))
    metrics = jobs.GetTaskMetrics(
        pb.GetTaskMetricsRequest(task_category=category, resource_meta=chatty, queries=["cpu"])
    )
    deleted = jobs.DeleteTask(pb.DeleteTaskRequest(task_category=category, resource_meta=chatty))
    return {
        "CreateTask": chatty.decode(),
        "GetTask": MessageToDict(get),
        "GetTask by task_type": MessageToDict(deprecated),
        "GetTaskLogs": [MessageToDict(part) for part in logs],
        "GetTaskMetrics": MessageToDict(metrics),
        "DeleteTask": MessageToDict(deleted),
        "unknown": _failure(lambda: created("nothing")),
    }


def _metadata(pb: Any, metadata: Any, entity: str) -> dict[str, Any]:
    get, list_all = getattr(metadata, f"Get{entity}"), getattr(metadata, f"List{entity}s")
    get_request, list_request = getattr(pb, f"Get{entity}Request"), getattr(pb, f"List{entity}sRequest")
    return {
        "get": MessageToDict(get(get_request(name="Chatty"))),
        "list": MessageToDict(list_all(list_request())),
        "get unknown": _failure(lambda: get(get_request(name="nobody"))),
    }


def _execute(pb: Any, tasks: Any, literals: Any, sync: Any) -> list[Any]:
    text = literals.Literal(scalar=literals.Scalar(primitive=literals.Primitive(string_value="hello")))
    task = tasks.TaskTemplate(type="trivial_sync")
    for declared in (task.interface.inputs, task.interface.outputs):
        _declare_text(declared, "greeting")
    messages = [
        pb.ExecuteTaskSyncRequest(header=pb.CreateRequestHeader(template=task)),
        pb.ExecuteTaskSyncRequest(inputs=literals.LiteralMap(literals={"greeting": text})),
    ]
    return [MessageToDict(answer) for answer in sync.ExecuteTaskSync(iter(messages))]


def _declare_text(variables: Any, name: str) -> None:
    """Version one keeps variables in a map, version two in a list of entries."""
    if hasattr(variables.variables, "add"):
        variables.variables.add(key=name).value.type.simple = _STRING
    else:
        variables.variables[name].type.simple = _STRING


def _failure(call: Callable[[], Any]) -> list[str]:
    try:
        call()
    except grpc.RpcError as error:
        failed: Any = error
        return [failed.code().name, failed.details()]
    raise AssertionError("the call should have failed")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
