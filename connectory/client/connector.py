"""The client of a connector service."""

from collections.abc import AsyncIterator, Callable, Sequence
from functools import cached_property
from typing import Any

from connectory.client.base import ServiceClient, translated
from connectory.client.watched_task import WatchedTask
from connectory.client.watching import TaskWatch
from connectory.errors import InternalError
from connectory.rpc.early_ends import keep_status
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import literals_pb2
from connectory.v1.services_pb2_grpc import (
    AsyncConnectorServiceStub,
    ConnectorMetadataServiceStub,
    SyncConnectorServiceStub,
)
from connectory.v1.watch_pb2_grpc import TaskWatchServiceStub

__all__ = ["ConnectorClient"]


class ConnectorClient(ServiceClient):
    """Calls one connector service; see `ServiceClient`."""

    @cached_property
    def _async(self) -> Any:
        return AsyncConnectorServiceStub(self._channel)  # type: ignore[no-untyped-call, unused-ignore]

    @cached_property
    def _sync(self) -> Any:
        return SyncConnectorServiceStub(self._channel)  # type: ignore[no-untyped-call, unused-ignore]

    @cached_property
    def _metadata(self) -> Any:
        return ConnectorMetadataServiceStub(self._channel)  # type: ignore[no-untyped-call, unused-ignore]

    async def create(self, request: pb.CreateTaskRequest, *, timeout: float | None = None) -> pb.CreateTaskResponse:
        """Start a job. The same idempotency key again means the same job."""
        response: pb.CreateTaskResponse = await self._answer(self._async.CreateTask, request, timeout)
        return response

    async def get(self, request: pb.GetTaskRequest, *, timeout: float | None = None) -> pb.GetTaskResponse:
        """Ask how a job stands."""
        response: pb.GetTaskResponse = await self._answer(self._async.GetTask, request, timeout)
        return response

    def watch(self, request: pb.GetTaskRequest, on_news: Callable[[WatchedTask], None] | None = None) -> WatchedTask:
        """Hear how a job stands, and then of every change. All jobs that are watched share one stream.

        Iterate over what is returned, or look at it whenever `on_news` was called, from the event loop. Close it when
        it is wanted no more. A stream that breaks is opened again and loses no change; where a service has none, it has
        ended with an `UnsupportedError`.
        """
        return self._watch.watch(request, on_news)

    async def close(self) -> None:
        """End the calls that still run, and the connection."""
        if "_watch" in self.__dict__:
            await self._watch.close()
        await super().close()

    @cached_property
    def _watch(self) -> TaskWatch:
        stub: Any = TaskWatchServiceStub(self._channel)  # type: ignore[no-untyped-call, unused-ignore]
        return TaskWatch(lambda: keep_status(stub.WatchTasks(metadata=self._metadata_now())), self.get)

    async def delete(self, request: pb.DeleteTaskRequest, *, timeout: float | None = None) -> pb.DeleteTaskResponse:
        """End a job. Safe to repeat."""
        response: pb.DeleteTaskResponse = await self._answer(self._async.DeleteTask, request, timeout)
        return response

    async def metrics(
        self, request: pb.GetTaskMetricsRequest, *, timeout: float | None = None
    ) -> pb.GetTaskMetricsResponse:
        """Ask for a job's metrics."""
        response: pb.GetTaskMetricsResponse = await self._answer(self._async.GetTaskMetrics, request, timeout)
        return response

    async def logs(
        self, request: pb.GetTaskLogsRequest, *, timeout: float | None = None
    ) -> AsyncIterator[pb.GetTaskLogsResponse]:
        """A job's log, part by part: lines, and the tokens that resume behind them."""
        with translated():
            async for response in self._async.GetTaskLogs(request, timeout=timeout, metadata=self._metadata_now()):
                yield response

    async def execute(
        self,
        header: pb.CreateRequestHeader,
        inputs: literals_pb2.LiteralMap | None = None,
        *,
        timeout: float | None = None,
    ) -> pb.Resource:
        """Run a task of a sync connector to its end; the answer holds the outputs."""

        async def requests() -> AsyncIterator[pb.ExecuteTaskSyncRequest]:
            yield pb.ExecuteTaskSyncRequest(header=header)
            if inputs is not None:
                yield pb.ExecuteTaskSyncRequest(inputs=inputs)

        resource: pb.Resource | None = None
        outputs = literals_pb2.LiteralMap()
        with translated():
            metadata = self._metadata_now()
            call = keep_status(self._sync.ExecuteTaskSync(requests(), timeout=timeout, metadata=metadata))
            async for response in call:
                if response.WhichOneof("res") == "header":
                    resource = response.header.resource
                else:
                    outputs.MergeFrom(response.outputs)
        if resource is None:
            raise InternalError(f"the service at {self.target} ended its answer without a result")
        if outputs.literals:
            resource.outputs.MergeFrom(outputs)
        return resource

    async def list_connectors(self, *, timeout: float | None = None) -> pb.ListConnectorsResponse:
        """What the service offers, and what it could not load."""
        response: pb.ListConnectorsResponse = await self._answer(
            self._metadata.ListConnectors, pb.ListConnectorsRequest(), timeout
        )
        return response

    async def connectors(self, *, timeout: float | None = None) -> Sequence[pb.Connector]:
        """What the service offers."""
        return list((await self.list_connectors(timeout=timeout)).connectors)

    async def connector(self, name: str, *, timeout: float | None = None) -> pb.Connector:
        """What the service says of one connector."""
        response: pb.GetConnectorResponse = await self._answer(
            self._metadata.GetConnector, pb.GetConnectorRequest(name=name), timeout
        )
        return response.connector
