"""A small server of the connector protocol, written by hand, whose defects can be chosen; so can watching jobs."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
from grpc_health.v1 import health_pb2

from connectory.v1 import connector_pb2 as pb
from connectory.v1 import execution_pb2, services_pb2_grpc, watch_pb2, watch_pb2_grpc

__all__ = ["serving_with"]

Phase = execution_pb2.TaskExecution
Code = grpc.StatusCode


class HandMade:
    """Keeps the contract, but for the defects that it is given by name."""

    def __init__(self, *defects: str) -> None:
        self.defects = defects
        self.jobs: dict[str, bytes] = {}
        self.free = asyncio.Event()
        self.free.set()

    async def create(self, request: pb.CreateTaskRequest, context: Any) -> pb.CreateTaskResponse:
        await self._category(request.template.type, request.template.task_type_version, context)
        if "shouts" in self.defects and len(request.template.custom):
            await context.abort(Code.INVALID_ARGUMENT, "x" * 10_000)
        for setting in request.template.custom:
            await context.abort(Code.INVALID_ARGUMENT, f"unknown: {setting[:60]}")
        if "dies of size" in self.defects and "huge" in request.inputs.literals:
            await context.abort(Code.INTERNAL, "MemoryError")
        if "blocks" in self.defects:
            self.free.clear()
            await asyncio.sleep(0.5)
            self.free.set()
        key = request.idempotency_key or f"none-{len(self.jobs)}"
        content = request.template.id.SerializeToString()
        if key in self.jobs and self.jobs[key] != content and "forgets content" not in self.defects:
            await context.abort(Code.ALREADY_EXISTS, "the template's id differs")
        if "doubles" in self.defects:
            key = f"{key}-{len(self.jobs)}"
        self.jobs[key] = content
        secret = list(request.connection.secrets.values()) if "leaks" in self.defects else []
        handle = {"v": 1, "key": key, **({"secret": secret} if secret else {})}
        return pb.CreateTaskResponse(resource_meta=json.dumps(handle).encode())

    async def get(self, request: pb.GetTaskRequest, context: Any) -> pb.GetTaskResponse:
        key = await self._job(request, context)
        if key not in self.jobs:
            await context.abort(Code.NOT_FOUND, "there is no such job")
        phase: Any = Phase.ABORTED if self.jobs[key] == b"deleted" else Phase.SUCCEEDED
        if "undying" in self.defects and phase == Phase.ABORTED:
            phase = Phase.RUNNING
        if "invents phases" in self.defects:
            phase = 99
        return pb.GetTaskResponse(resource=pb.Resource(phase=phase))

    async def delete(self, request: pb.DeleteTaskRequest, context: Any) -> pb.DeleteTaskResponse:
        key = await self._job(request, context)
        if "deletes once" in self.defects and self.jobs.get(key, b"deleted") == b"deleted":
            await context.abort(Code.NOT_FOUND, "there is no such job")
        if key in self.jobs:
            self.jobs[key] = b"deleted"
        return pb.DeleteTaskResponse()

    async def logs(self, request: pb.GetTaskLogsRequest, context: Any) -> AsyncIterator[pb.GetTaskLogsResponse]:
        await self._job(request, context)
        lines = ["one", "two", "three"]
        first = int(request.token or 0)
        last = first + request.lines if request.lines else len(lines)
        if "repeats lines" in self.defects and first:
            first -= 1
        body = pb.GetTaskLogsResponseBody(structured_lines=[pb.LogLine(message=line) for line in lines[first:last]])
        yield pb.GetTaskLogsResponse(body=body)
        yield pb.GetTaskLogsResponse(header=pb.GetTaskLogsResponseHeader(token=str(min(last, len(lines)))))

    async def watch(
        self, requests: AsyncIterator[watch_pb2.WatchTasksRequest], context: Any
    ) -> AsyncIterator[watch_pb2.WatchTasksResponse]:
        async for request in requests:
            for one in request.subscribe:
                change = watch_pb2.TaskChange(key=one.key, ended="goes on telling" not in self.defects)
                if one.task.resource_meta.startswith(b"{"):
                    change.resource.phase = Phase.SUCCEEDED
                elif "stumbles over garbage" in self.defects:
                    await context.abort(Code.INVALID_ARGUMENT, "this is no handle")
                else:
                    change.error.code = 3
                yield watch_pb2.WatchTasksResponse(changes=[change])

    async def list(self, request: pb.ListConnectorsRequest, context: Any) -> pb.ListConnectorsResponse:
        return pb.ListConnectorsResponse(connectors=[] if "hides" in self.defects else [self._connector()])

    async def describe(self, request: pb.GetConnectorRequest, context: Any) -> pb.GetConnectorResponse:
        if request.name != "HandMade":
            await context.abort(Code.NOT_FOUND, "there is no such connector")
        return pb.GetConnectorResponse(connector=self._connector())

    async def health(self, request: health_pb2.HealthCheckRequest, context: Any) -> health_pb2.HealthCheckResponse:
        if request.service:
            await context.abort(Code.NOT_FOUND, "there is no such service")
        await self.free.wait()  # as it would be if the loop were blocked
        sick = health_pb2.HealthCheckResponse.NOT_SERVING
        return health_pb2.HealthCheckResponse(status=sick if "sick" in self.defects else 1)

    def _connector(self) -> pb.Connector:
        return pb.Connector(name="HandMade", supported_task_categories=[pb.TaskCategory(name="by_hand")])

    async def _category(self, name: str, version: int, context: Any) -> None:
        if name != "by_hand" or (version and "ignores versions" not in self.defects):
            await context.abort(Code.NOT_FOUND, f"nobody answers {name[:60]}")

    async def _job(self, request: Any, context: Any) -> str:
        given = request.task_category
        old = "" if "ignores old clients" in self.defects else request.task_type
        await self._category(given.name or old, given.version, context)
        try:
            handle = json.loads(request.resource_meta)
            version, key = handle["v"], handle["key"]
        except (ValueError, TypeError, KeyError):
            if "crashes" in self.defects:
                raise
            await context.abort(Code.INVALID_ARGUMENT, "this is no handle")
        if version != 1 and "reads anything" not in self.defects:
            await context.abort(Code.INVALID_ARGUMENT, "the handle is of a newer release")
        return str(key)


@asynccontextmanager
async def serving_with(*defects: str) -> AsyncIterator[str]:
    """Where a server with these defects listens."""
    made = HandMade(*defects)
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 16 * 1024 * 1024)])
    jobs: Any = type("Jobs", (services_pb2_grpc.AsyncConnectorServiceServicer,), {})()
    jobs.CreateTask, jobs.GetTask, jobs.DeleteTask, jobs.GetTaskLogs = made.create, made.get, made.delete, made.logs
    metadata: Any = type("Metadata", (services_pb2_grpc.ConnectorMetadataServiceServicer,), {})()
    metadata.ListConnectors, metadata.GetConnector = made.list, made.describe
    services_pb2_grpc.add_AsyncConnectorServiceServicer_to_server(jobs, server)
    services_pb2_grpc.add_ConnectorMetadataServiceServicer_to_server(metadata, server)
    if {"watches", "goes on telling", "stumbles over garbage"} & set(defects):
        watches: Any = type("Watches", (watch_pb2_grpc.TaskWatchServiceServicer,), {})()
        watches.WatchTasks = made.watch
        watch_pb2_grpc.add_TaskWatchServiceServicer_to_server(watches, server)
    check = grpc.unary_unary_rpc_method_handler(
        made.health,
        request_deserializer=health_pb2.HealthCheckRequest.FromString,
        response_serializer=health_pb2.HealthCheckResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": check})])
    with TemporaryDirectory() as folder:
        address = f"unix:{Path(folder) / 'server.sock'}"
        server.add_insecure_port(address)
        await server.start()
        try:
            yield address
        finally:
            await server.stop(None)
