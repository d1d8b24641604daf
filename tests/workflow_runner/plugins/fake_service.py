"""A connector service on a unix socket, faithful to the wire, whose jobs are entries in memory.

What happens to jobs is also written to a log, one line each, so that a test can count.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from connectory.connector.status import to_status
from connectory.errors import ConnectorError, NotFoundError
from connectory.rpc.failures import STATUS_CODES
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import execution_pb2, literals_pb2
from connectory.v1.services_pb2_grpc import (
    AsyncConnectorServiceServicer,
    ConnectorMetadataServiceServicer,
    SyncConnectorServiceServicer,
    add_AsyncConnectorServiceServicer_to_server,
    add_ConnectorMetadataServiceServicer_to_server,
    add_SyncConnectorServiceServicer_to_server,
)
from tests.workflow_runner.fakes import added

Phase = execution_pb2.TaskExecution
Context = grpc.aio.ServicerContext


class UnknownCategory(str):
    """The trouble of a service that does not know the category, in rich words."""


@dataclass
class FakeJob:
    key: str
    inputs: literals_pb2.LiteralMap
    rounds: int
    """So many questions are answered with RUNNING before the job ends."""
    failing: bool = False
    deleted: bool = False
    asked: int = 0


@dataclass
class FakeSystem:
    """The jobs, and how calls are to be answered."""

    log: Callable[[str], None] = lambda line: None
    jobs: dict[str, FakeJob] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    trouble: dict[str, list[grpc.StatusCode | str | ConnectorError]] = field(default_factory=dict)
    """By method: what the next calls are answered with; "lost" performs the call and then fails it."""
    requests: list[pb.CreateTaskRequest] = field(default_factory=list)
    poll_after: float | None = None
    """What answers about running jobs say on when to ask again."""
    phase: int | None = None
    """What answers about running jobs give as phase, instead of RUNNING."""
    stubborn: int = 0
    """So many deletions are accepted before one is obeyed."""
    offers: Sequence[tuple[str, bool]] = (("fake", False), ("fake_sync", True))
    """The categories, and whether they are sync."""
    ledger: str | None = None
    """What the service says that its ledger is known by."""

    def create(self, request: pb.CreateTaskRequest) -> str:
        key = request.idempotency_key
        if key not in self.jobs:
            custom = dict(request.template.custom)
            attempt = request.task_execution_metadata.task_execution_id.retry_attempt
            failing = attempt < int(custom.get("fail_first", 0))
            self.jobs[key] = FakeJob(key, request.inputs, int(custom.get("rounds", 0)), failing)
            self.log(f"create {key}")
        return key

    def resource(self, key: str) -> pb.Resource:
        job = self.jobs[key]
        job.asked += 1
        if job.deleted:
            return pb.Resource(phase=Phase.ABORTED)
        if job.asked <= job.rounds:
            link = execution_pb2.TaskLog(uri=f"http://logs/{key}", name="Logs")
            phase: Any = Phase.RUNNING if self.phase is None else self.phase
            running = pb.Resource(phase=phase, message=f"round {job.asked}", log_links=[link])
            if self.poll_after is not None:
                running.poll_after.FromTimedelta(timedelta(seconds=self.poll_after))
            return running
        self.log(f"end {key}")
        if job.failing:
            return pb.Resource(phase=Phase.RETRYABLE_FAILED, message="flaky")
        return pb.Resource(phase=Phase.SUCCEEDED, outputs=added(job.inputs))

    def delete(self, key: str) -> None:
        if self.stubborn:
            self.stubborn -= 1
            return
        if not self.jobs[key].deleted:
            self.jobs[key].deleted = True
            self.log(f"delete {key}")


class _Service(AsyncConnectorServiceServicer, SyncConnectorServiceServicer, ConnectorMetadataServiceServicer):
    def __init__(self, system: FakeSystem) -> None:
        self.system = system

    async def _troubled(self, method: str, context: Context) -> bool:
        self.system.calls.append(method)
        troubles = self.system.trouble.get(method)
        if not troubles:
            return False
        trouble = troubles.pop(0)
        if trouble == "lost":
            return True
        if isinstance(trouble, UnknownCategory):
            status = to_status(NotFoundError(str(trouble), reason="UNKNOWN_CATEGORY"))
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            await context.abort(grpc.StatusCode.NOT_FOUND, status.message)
        if isinstance(trouble, ConnectorError):
            status = to_status(trouble)
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            await context.abort(STATUS_CODES[status.code], status.message)
        await context.abort(trouble, f"{method} is troubled")
        return False

    async def CreateTask(self, request: pb.CreateTaskRequest, context: Context) -> pb.CreateTaskResponse:
        lost = await self._troubled("create", context)
        self.system.requests.append(request)
        key = self.system.create(request)
        if lost:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the answer is lost")
        return pb.CreateTaskResponse(resource_meta=key.encode())

    async def GetTask(self, request: pb.GetTaskRequest, context: Context) -> pb.GetTaskResponse:
        await self._troubled("get", context)
        return pb.GetTaskResponse(resource=self.system.resource(request.resource_meta.decode()))

    async def DeleteTask(self, request: pb.DeleteTaskRequest, context: Context) -> pb.DeleteTaskResponse:
        await self._troubled("delete", context)
        self.system.delete(request.resource_meta.decode())
        return pb.DeleteTaskResponse()

    async def GetTaskLogs(
        self, request: pb.GetTaskLogsRequest, context: Context
    ) -> AsyncIterator[pb.GetTaskLogsResponse]:
        await self._troubled("logs", context)
        key = request.resource_meta.decode()
        wanted = [line for line in range(3) if not request.token or line > int(request.token)]
        lines = [pb.LogLine(message=f"line {line} of {key}") for line in wanted][: request.lines or None]
        yield pb.GetTaskLogsResponse(body=pb.GetTaskLogsResponseBody(structured_lines=lines))
        yield pb.GetTaskLogsResponse(header=pb.GetTaskLogsResponseHeader(token=""))

    async def ExecuteTaskSync(
        self, requests: AsyncIterator[pb.ExecuteTaskSyncRequest], context: Context
    ) -> AsyncIterator[pb.ExecuteTaskSyncResponse]:
        await self._troubled("execute", context)
        parts = [part async for part in requests]
        assert [part.WhichOneof("part") for part in parts] == ["header", "inputs"]
        resource = pb.Resource(phase=Phase.SUCCEEDED)
        yield pb.ExecuteTaskSyncResponse(header=pb.ExecuteTaskSyncResponseHeader(resource=resource))
        yield pb.ExecuteTaskSyncResponse(outputs=added(parts[1].inputs))

    async def ListConnectors(self, request: pb.ListConnectorsRequest, context: Context) -> pb.ListConnectorsResponse:
        await self._troubled("list", context)
        return pb.ListConnectorsResponse(
            ledger=self.system.ledger,
            connectors=[
                pb.Connector(name=name, is_sync=is_sync, supported_task_categories=[pb.TaskCategory(name=name)])
                for name, is_sync in self.system.offers
            ],
        )


@asynccontextmanager
async def fake_service(socket: Path, system: FakeSystem) -> AsyncIterator[str]:
    """The service while it listens; gives its address."""
    server = grpc.aio.server()
    service = _Service(system)
    add_AsyncConnectorServiceServicer_to_server(service, server)
    add_SyncConnectorServiceServicer_to_server(service, server)
    add_ConnectorMetadataServiceServicer_to_server(service, server)
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    try:
        yield f"unix:{socket}"
    finally:
        await server.stop(None)


async def _serve(socket: Path, log: Path) -> None:
    with log.open("a", buffering=1) as file:
        async with fake_service(socket, FakeSystem(log=lambda line: print(line, file=file))):
            print("ready", flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), Path(sys.argv[2])))
