"""Requests that nobody should send: valid ones that were mutated, and random bytes, from a seed."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from connector_server.names import JOB_SERVICE, OPERATIONS_SERVICE, SERVICES, WATCH_SERVICE
from connectory.rpc.early_ends import keep_status
from connectory.testing import task_call
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import jobs_pb2, operations_pb2, watch_pb2

__all__ = ["DEFECTS", "Attempt", "attempts", "mutated", "send"]

DEFECTS: Final = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED)
"""What bad input must never lead to."""
_DEADLINE: Final = 20.0
_TASK: Final = task_call("echo", inputs={"x": 3, "text": "grün"}, outputs={"x": int, "text": str})
_SYNC: Final = task_call("echo_sync", inputs={"x": 3, "text": "grün"}, outputs={"x": int, "text": str})
_INTERESTING: Final = (
    b"\x00",
    b"\xff",
    b"\x80" * 10,
    b"\xff\xff\xff\xff\x0f",
    b"{",
    b"null",
    b"\xed\xa0\x80",
    b"\x0a" * 200,
)
_STREAMS: Final = {"ExecuteTaskSync", "ServerReflectionInfo", "WatchTasks"}


@dataclass(frozen=True)
class Attempt:
    """One call with what it sends."""

    path: str
    messages: tuple[bytes, ...]
    metadata: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.path} {[message.hex() for message in self.messages]} {self.metadata}"


def attempts(seed: int, handles: Sequence[bytes], token: str = "") -> Iterator[Attempt]:
    """Endless attempts; the same seed gives the same ones. `handles` are those of jobs that exist.

    Most of them bring the token, when there is one.
    """
    chance = random.Random(seed)
    seeds = {operation: [m.SerializeToString() for m in made] for operation, made in _requests(handles).items()}
    paths = [
        (f"/{service.name}/{method}", operation)
        for service in (*SERVICES, JOB_SERVICE, WATCH_SERVICE, OPERATIONS_SERVICE)
        for method, operation in service.methods.items()
    ]
    paths += [(f"/grpc.health.v1.Health/{operation}", operation) for operation in ("Check", "List")]
    paths += [
        (f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo", "ServerReflectionInfo")
        for version in ("v1", "v1alpha")
    ]
    while True:
        path, operation = chance.choice(paths)
        count = chance.randrange(1, 4) if operation in _STREAMS else 1
        messages = tuple(mutated(chance, seeds[operation], seeds) for _ in range(count))
        yield Attempt(path, messages, tuple(_metadata(chance, token)))


async def send(channel: grpc.aio.Channel, attempt: Attempt) -> tuple[grpc.StatusCode, str]:
    """How the server ends the call."""
    timeout = _DEADLINE

    async def sent() -> Any:
        for message in attempt.messages:
            yield message

    try:
        if attempt.path.rpartition("/")[2] in _STREAMS:
            streamed = channel.stream_stream(attempt.path)(sent(), timeout=timeout, metadata=attempt.metadata)
            async for _ in keep_status(streamed):
                pass
        else:
            call = channel.unary_stream(attempt.path)
            async for _ in call(attempt.messages[0], timeout=timeout, metadata=attempt.metadata):
                pass
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details() or ""
    return grpc.StatusCode.OK, ""


def _watch(subscription: watch_pb2.TaskSubscription) -> watch_pb2.WatchTasksRequest:
    return watch_pb2.WatchTasksRequest(subscribe=[subscription])


def _requests(handles: Sequence[bytes]) -> Mapping[str, Sequence[Any]]:
    handle = handles[0]
    category = pb.TaskCategory(name="echo")
    create = _TASK.create_request("fuzzed")
    create.task_execution_metadata.task_execution_id.node_execution_id.execution_id.name = "e"
    create.connection.secrets["a"] = "b"
    return {
        "CreateTask": [create, _TASK.create_request()],
        "GetTask": [*map(_TASK.get_request, handles), pb.GetTaskRequest(task_type="echo", resource_meta=handle)],
        "DeleteTask": [
            *map(_TASK.delete_request, handles),
            pb.DeleteTaskRequest(idempotency_key="x", task_category=category),
        ],
        "GetTaskMetrics": [pb.GetTaskMetricsRequest(resource_meta=handle, task_category=category, queries=["a"])],
        "GetTaskLogs": [
            *(_TASK.logs_request(one, lines=2, token="1") for one in handles),
            pb.GetTaskLogsRequest(resource_meta=handles[1], task_type="chatty", tail=3, follow=True),
        ],
        "ExecuteTaskSync": [
            pb.ExecuteTaskSyncRequest(header=_SYNC.header("key")),
            pb.ExecuteTaskSyncRequest(inputs=_SYNC.inputs),
        ],
        "GetConnector": [pb.GetConnectorRequest(name="echo")],
        "ListConnectors": [pb.ListConnectorsRequest()],
        "ListJobs": [jobs_pb2.ListJobsRequest(limit=3, token="YQ==", category="echo@0", execution="e", states=[1, 2])],
        "GetJob": [jobs_pb2.GetJobRequest(key="fuzzed")],
        "DeleteJob": [jobs_pb2.DeleteJobRequest(key="fuzzed")],
        "Reload": [operations_pb2.ReloadRequest()],
        "ReapJobs": [jobs_pb2.ReapJobsRequest(dry_run=True)],
        "SettleJob": [
            jobs_pb2.SettleJobRequest(key="fuzzed", resource_meta=handle),
            jobs_pb2.SettleJobRequest(key="fuzzed", nothing=True),
        ],
        "WatchTasks": [
            *(_watch(watch_pb2.TaskSubscription(key=b"k", task=_TASK.get_request(one))) for one in handles),
            _watch(watch_pb2.TaskSubscription(task=pb.GetTaskRequest(task_type="echo", resource_meta=handle))),
            watch_pb2.WatchTasksRequest(unsubscribe=[b"k"]),
        ],
        "List": [health_pb2.HealthCheckRequest()],  # the same bytes as its own request, which has no fields
        "Check": [health_pb2.HealthCheckRequest(service="connectory.v1.AsyncConnectorService")],
        "ServerReflectionInfo": [
            reflection_pb2.ServerReflectionRequest(file_containing_symbol="connectory.v1.Resource")
        ],
    }


def mutated(chance: random.Random, valid: Sequence[bytes], seeds: Mapping[str, Sequence[bytes]]) -> bytes:
    """Something like one of the valid messages, now and then one of other operations, or anything."""
    kind = chance.random()
    if kind < 0.1:
        return chance.randbytes(chance.choice((0, 1, 2, 7, 64, 1000)))
    if kind < 0.15:
        return chance.choice(seeds[chance.choice(list(seeds))])  # a valid request of another operation
    data = bytearray(chance.choice(valid))
    for _ in range(chance.randrange(0, 5)):
        _mutate(chance, data, chance.choice(valid))
    return bytes(data)


def _metadata(chance: random.Random, token: str) -> Iterator[tuple[str, str]]:
    """Who calls, and in which trace, as other programs might say it."""
    for name, valid in (("authorization", f"Bearer {token}"), ("traceparent", f"00-{'a' * 32}-{'b' * 16}-01")):
        if chance.random() < 0.85:
            if token or name == "traceparent":
                yield name, valid
            continue
        data = bytearray(valid.encode())
        for _ in range(chance.randrange(1, 4)):
            _mutate(chance, data, valid.encode())
        yield name, "".join(chr(byte) for byte in data if 32 <= byte < 127).strip()


def _mutate(chance: random.Random, data: bytearray, other: bytes) -> None:
    at = chance.randrange(len(data) + 1)
    match chance.randrange(6):
        case 0 if at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        case 1 if at < len(data):
            data[at] = chance.randrange(256)
        case 2:
            data[at:at] = chance.choice(_INTERESTING)
        case 3:
            del data[at : at + chance.randrange(1, 16)]
        case 4:
            data[at:at] = data[at : at + chance.randrange(1, 64)] * chance.randrange(1, 50)
        case 5:
            data[at:] = other[chance.randrange(len(other) + 1) :]
