"""Runs a process job to its end with the stubs of a real Flyte package, and reads its log and metrics.

    python -m tests.connectors.process.flyte_caller flyteidl|flyteidl2 TARGET

Prints one JSON object: for each question what was answered. It imports nothing of this project.
"""

import importlib
import json
import sys
import time
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict

from tests.connector_server.flyte_peer import FAMILIES

_SUCCEEDED = 3
_SCRIPT = "echo one; echo two; echo oops >&2; sleep 1.2"


def main(family: str, target: str) -> None:
    names = FAMILIES[family]
    pb, stubs = importlib.import_module(names["messages"]), importlib.import_module(names["stubs"])
    tasks = importlib.import_module(f"{family}.core.tasks_pb2")
    template = tasks.TaskTemplate(type="process")
    template.custom.update({"command": [_SCRIPT], "shell": True})
    with grpc.insecure_channel(target) as channel:
        jobs: Any = getattr(stubs, names["jobs"])(channel)
        handle = jobs.CreateTask(pb.CreateTaskRequest(template=template)).resource_meta
        about = {"task_category": pb.TaskCategory(name="process"), "resource_meta": handle}
        while jobs.GetTask(pb.GetTaskRequest(**about)).resource.phase != _SUCCEEDED:
            time.sleep(0.02)
        metrics = pb.GetTaskMetricsRequest(**about, queries=["memory_bytes", "cpu_seconds"])
        metrics.step.FromMilliseconds(500)
        answers = {"ended": _log(pb, jobs, about), "one": _log(pb, jobs, about, lines=1)}
        answers["rest"] = _log(pb, jobs, about, token=answers["one"][-1]["header"]["token"])
        answers["metrics"] = MessageToDict(jobs.GetTaskMetrics(metrics))
        answers["unknown"] = _refusal(lambda: jobs.GetTaskMetrics(pb.GetTaskMetricsRequest(**about, queries=["disk"])))
        jobs.DeleteTask(pb.DeleteTaskRequest(**about))
        answers["deleted"] = _log(pb, jobs, about)
    print(json.dumps(answers))


def _log(pb: Any, jobs: Any, about: dict[str, Any], **part: Any) -> Any:
    return [MessageToDict(answer) for answer in jobs.GetTaskLogs(pb.GetTaskLogsRequest(**about, **part))]


def _refusal(call: Any) -> list[str]:
    try:
        call()
    except grpc.RpcError as error:
        failed: Any = error
        return [failed.code().name, failed.details()]
    raise AssertionError("the call should have failed")


if __name__ == "__main__":
    main(*sys.argv[1:])
