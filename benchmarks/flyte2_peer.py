"""Flyte 2's own connector server with the same trivial connector; runs in Flyte 2's environment, not in ours.

Run as `.venv-flyte2/bin/python benchmarks/flyte2_peer.py unix:/PATH`. It wires the same services as Flyte 2's own
command does, but on a unix socket like the others. It has no ExecuteTaskSync.
"""

import asyncio
import sys
import time
from dataclasses import dataclass

import grpc
from flyte.connectors._connector import AsyncConnector, ConnectorRegistry, Resource, ResourceMeta
from flyte.connectors._server import AsyncConnectorService, ConnectorMetadataService
from flyteidl2.connector.service_pb2_grpc import (
    add_AsyncConnectorServiceServicer_to_server,
    add_ConnectorMetadataServiceServicer_to_server,
)
from flyteidl2.core.execution_pb2 import TaskExecution


@dataclass
class Job(ResourceMeta):
    job_id: str


class TrivialAsync(AsyncConnector):
    name = "Trivial async"
    task_type_name = "bench_async"
    metadata_type = Job

    async def create(self, task_template, output_prefix, inputs=None, **kwargs):
        return Job(job_id="1")

    async def get(self, resource_meta, **kwargs):
        return Resource(phase=TaskExecution.RUNNING, message="running")

    async def delete(self, resource_meta, **kwargs):
        return None


class Blocking(TrivialAsync):
    name = "Blocking"
    task_type_name = "bench_blocking"

    async def create(self, task_template, output_prefix, inputs=None, **kwargs):
        time.sleep(0.5)  # noqa: ASYNC251 - its methods have to be coroutines
        return Job(job_id="1")


async def main(address):
    ConnectorRegistry.register(TrivialAsync())
    ConnectorRegistry.register(Blocking())
    server = grpc.aio.server()
    add_AsyncConnectorServiceServicer_to_server(AsyncConnectorService(), server)
    add_ConnectorMetadataServiceServicer_to_server(ConnectorMetadataService(), server)
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
