"""Reads a log with the stubs of a real Flyte package, slowly: the first line, and more when it is told to.

    python -m tests.connector_server.flyte_reader flyteidl|flyteidl2 TARGET TASK_TYPE HANDLE

Prints the number of the first line, waits for a line on its standard input, reads the next ones up to number 100, says
so, and hangs up. It imports nothing of this project.
"""

import importlib
import sys
from typing import Any

import grpc

from tests.connector_server.flyte_peer import FAMILIES


def main(family: str, target: str, task_type: str, handle: str) -> None:
    names = FAMILIES[family]
    pb, stubs = importlib.import_module(names["messages"]), importlib.import_module(names["stubs"])
    with grpc.insecure_channel(target) as channel:
        jobs: Any = getattr(stubs, names["jobs"])(channel)
        category = pb.TaskCategory(name=task_type)
        call = jobs.GetTaskLogs(pb.GetTaskLogsRequest(task_category=category, resource_meta=handle.encode()))
        numbers = (int(text.split()[0]) for answer in call for text in answer.body.results)
        print(next(numbers), flush=True)
        sys.stdin.readline()
        last = next(number for number in numbers if number == 100)
        print(last, flush=True)
        call.cancel()


if __name__ == "__main__":
    main(*sys.argv[1:])
