"""A caller of any server that speaks the connector protocol, under whichever of its names."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import grpc.aio
from google.protobuf.message import DecodeError, Message
from grpc_health.v1 import health_pb2

from connectory.client.channel import ClientTls, open_channel
from connectory.rpc.early_ends import keep_status
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import watch_pb2

__all__ = ["FAMILIES", "Answer", "Family", "Peer"]

_ANSWERS: Final[Mapping[str, Any]] = {
    "CreateTask": pb.CreateTaskResponse,
    "GetTask": pb.GetTaskResponse,
    "DeleteTask": pb.DeleteTaskResponse,
    "GetTaskLogs": pb.GetTaskLogsResponse,
    "GetTaskMetrics": pb.GetTaskMetricsResponse,
    "ExecuteTaskSync": pb.ExecuteTaskSyncResponse,
    "ListConnectors": pb.ListConnectorsResponse,
    "GetConnector": pb.GetConnectorResponse,
    "WatchTasks": watch_pb2.WatchTasksResponse,
    "Health": health_pb2.HealthCheckResponse,
}
_ALWAYS: Final = {
    "Health": "/grpc.health.v1.Health/Check",
    "WatchTasks": "/connectory.v1.TaskWatchService/WatchTasks",
}
"""What has one name only."""


@dataclass(frozen=True)
class Family:
    """One set of names under which servers answer the protocol."""

    name: str
    paths: Mapping[str, str]


def _family(package: str, word: str, *, named: str = "Connector") -> Family:
    jobs = f"/{package}.Async{word}Service"
    operations = ("CreateTask", "GetTask", "DeleteTask", "GetTaskLogs", "GetTaskMetrics")
    paths = {operation: f"{jobs}/{operation}" for operation in operations}
    paths["ExecuteTaskSync"] = f"/{package}.Sync{word}Service/ExecuteTaskSync"
    paths["ListConnectors"] = f"/{package}.{word}MetadataService/List{named}s"
    paths["GetConnector"] = f"/{package}.{word}MetadataService/Get{named}"
    return Family(package, {**paths, **_ALWAYS})


FAMILIES: Final = (
    _family("connectory.v1", "Connector"),
    _family("flyteidl.service", "Agent", named="Agent"),
    _family("flyteidl2.connector", "Connector"),
)
"""The names that are tried, in this order."""


@dataclass(frozen=True)
class Answer:
    """What came back of one call: the messages, or the status of a failure."""

    code: grpc.StatusCode
    detail: str = ""
    messages: tuple[Any, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.code is grpc.StatusCode.OK

    @property
    def message(self) -> Any:
        """The only message of a call that succeeded."""
        return self.messages[0]

    def __str__(self) -> str:
        return self.code.name if not self.detail else f"{self.code.name} ({self.detail[:300]})"


class Peer:
    """Calls one address; a status is an answer here, not an exception. Keeps all bytes that came back.

    `opened` makes further connections, for callers that go away. Needs a running event loop; close it at the end.
    """

    def __init__(self, target: str, *, tls: ClientTls | None = None, metadata: Iterable[tuple[str, str]] = ()) -> None:
        self.target = target
        self.family = FAMILIES[0]
        self.heard: list[tuple[str, bytes]] = []
        self._tls = tls
        self._metadata = tuple(metadata)
        self._channel = open_channel(target, tls=tls, max_message_bytes=256 * 1024 * 1024)

    async def close(self) -> None:
        """End the connection."""
        await self._channel.close()

    def opened(self) -> "Peer":
        """The same caller with a connection of its own; what it hears is kept in one place."""
        other = Peer(self.target, tls=self._tls, metadata=self._metadata)
        other.family, other.heard = self.family, self.heard
        return other

    async def find_family(self, *, timeout: float) -> Answer:
        """Use the first names under which the server lists its connectors; answers what the last try gave."""
        for family in FAMILIES:
            self.family = family
            answer = await self.ask("ListConnectors", pb.ListConnectorsRequest(), timeout=timeout)
            if answer.code is not grpc.StatusCode.UNIMPLEMENTED:
                return answer
        self.family = FAMILIES[0]
        return answer

    async def ask(self, operation: str, request: Message | bytes, *, timeout: float) -> Answer:
        """One request, one answer."""
        call: Any = self._channel.unary_unary(self.family.paths[operation])
        data = request if isinstance(request, bytes) else request.SerializeToString()
        return await self._heard(operation, call(data, timeout=timeout, metadata=self._metadata))

    async def read(self, operation: str, request: Message | bytes, *, timeout: float) -> Answer:
        """One request, a stream of answers."""
        call: Any = self._channel.unary_stream(self.family.paths[operation])
        data = request if isinstance(request, bytes) else request.SerializeToString()
        return await self._streamed(operation, call(data, timeout=timeout, metadata=self._metadata))

    async def talk(self, operation: str, requests: Iterable[Message | bytes], *, timeout: float) -> Answer:
        """A stream of requests, a stream of answers."""

        async def sent() -> AsyncIterator[bytes]:
            for request in requests:
                yield request if isinstance(request, bytes) else request.SerializeToString()

        call: Any = self._channel.stream_stream(self.family.paths[operation])
        return await self._streamed(operation, keep_status(call(sent(), timeout=timeout, metadata=self._metadata)))

    async def _heard(self, operation: str, call: Any) -> Answer:
        try:
            return self._decoded(operation, [await call])
        except grpc.aio.AioRpcError as failure:
            return self._failed(operation, failure)

    async def _streamed(self, operation: str, call: Any) -> Answer:
        parts: list[bytes] = []
        try:
            async for part in call:
                parts.append(part)
        except grpc.aio.AioRpcError as failure:
            self._decoded(operation, parts)
            return self._failed(operation, failure)
        return self._decoded(operation, parts)

    def _decoded(self, operation: str, parts: list[bytes]) -> Answer:
        self.heard.extend((operation, part) for part in parts)
        try:
            return Answer(grpc.StatusCode.OK, "", tuple(_ANSWERS[operation].FromString(part) for part in parts))
        except DecodeError as error:
            return Answer(grpc.StatusCode.DATA_LOSS, f"the answer of {operation} cannot be read: {error}")

    def _failed(self, operation: str, failure: grpc.aio.AioRpcError) -> Answer:
        detail = failure.details() or ""
        trailers = b"".join(
            value if isinstance(value, bytes) else value.encode() for _, value in failure.trailing_metadata() or ()
        )
        self.heard.append((operation, detail.encode() + b"\n" + trailers))
        return Answer(failure.code(), detail)
