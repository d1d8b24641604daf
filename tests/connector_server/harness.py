"""A real server on a unix socket in a temporary folder, with a real channel to it."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2

from connector_server.app import ConnectorServer, serve
from connector_server.settings import ServerSettings
from connectory.connector.contract import Connector
from connectory.connector.registry import Registry
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import literals_pb2, services_pb2_grpc, tasks_pb2

__all__ = [
    "Peer",
    "create_request",
    "error_info",
    "execute_messages",
    "registry_of",
    "serving",
    "status_of",
    "template",
]


@dataclass
class Peer:
    """A caller of one server."""

    server: ConnectorServer
    channel: grpc.aio.Channel

    @property
    def jobs(self) -> Any:
        return services_pb2_grpc.AsyncConnectorServiceStub(self.channel)

    @property
    def sync(self) -> Any:
        return services_pb2_grpc.SyncConnectorServiceStub(self.channel)

    @property
    def metadata(self) -> Any:
        return services_pb2_grpc.ConnectorMetadataServiceStub(self.channel)


def registry_of(connectors: Iterable[Connector[Any]]) -> Registry:
    registry = Registry()
    for connector in connectors:
        registry.register(connector)
    return registry


@asynccontextmanager
async def serving(*connectors: Connector[Any], **options: Any) -> AsyncIterator[Peer]:
    """A server with these connectors; `options` are settings, or `registry`, a ready `ledger`, `tracer_provider`."""
    ready = [name for name in ("ledger", "tracer_provider") if name in options and not isinstance(options[name], str)]
    embedding = {name: options.pop(name) for name in ready}
    registry = options.pop("registry", None) or registry_of(connectors)
    limit = options.pop("client_limit", 64 * 1024 * 1024)
    with TemporaryDirectory() as folder:
        if "addresses" not in options and "uds" not in options:
            options["uds"] = [Path(folder) / "server.sock"]
        settings = ServerSettings(**{"grace": 5, **options})
        async with serve(settings, registry=registry, **embedding) as server:
            sizes = [("grpc.max_receive_message_length", limit), ("grpc.max_send_message_length", limit)]
            async with grpc.aio.insecure_channel(server.addresses[0], options=sizes) as channel:
                yield Peer(server, channel)


def template(task_type: str, config: dict[str, Any] | None = None, **interface: Any) -> tasks_pb2.TaskTemplate:
    """A task of this type, with `config` as its custom."""
    task = tasks_pb2.TaskTemplate(type=task_type, **interface)
    if config is not None:
        json_format.Parse(json.dumps(config), task.custom)
    return task


def create_request(task_type: str, config: dict[str, Any] | None = None, *, key: str = "") -> pb.CreateTaskRequest:
    return pb.CreateTaskRequest(template=template(task_type, config), idempotency_key=key)


def execute_messages(task: tasks_pb2.TaskTemplate, *inputs: literals_pb2.LiteralMap) -> list[pb.ExecuteTaskSyncRequest]:
    header = pb.ExecuteTaskSyncRequest(header=pb.CreateRequestHeader(template=task))
    return [header, *(pb.ExecuteTaskSyncRequest(inputs=one) for one in inputs)]


def status_of(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    """The rich status that came with an error."""
    trailing = dict(error.trailing_metadata())
    return status_pb2.Status.FromString(trailing["grpc-status-details-bin"])


def error_info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    """The ErrorInfo among the details of an error."""
    for detail in status_of(error).details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info
    raise AssertionError(f"no ErrorInfo came with {error}")
