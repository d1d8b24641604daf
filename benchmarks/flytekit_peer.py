"""Flytekit's own connector server with the same trivial connectors; runs in Flytekit's environment, not in ours.

Run as `.venv-flytekit/bin/python benchmarks/flytekit_peer.py unix:/PATH`. It wires the same services as flytekit's
`pyflyte serve connector` does, but on a unix socket like the others.
"""

import asyncio
import sys
import time
from dataclasses import dataclass

import grpc
from flyteidl.core.execution_pb2 import TaskExecution
from flyteidl.service.agent_pb2_grpc import (
    add_AgentMetadataServiceServicer_to_server,
    add_AsyncAgentServiceServicer_to_server,
    add_SyncAgentServiceServicer_to_server,
)
from flytekit.extend.backend.base_connector import (
    AsyncConnectorBase,
    ConnectorRegistry,
    Resource,
    ResourceMeta,
    SyncConnectorBase,
)
from flytekit.extend.backend.connector_service import (
    AsyncConnectorService,
    ConnectorMetadataService,
    SyncConnectorService,
)


@dataclass
class Job(ResourceMeta):
    job_id: str


class TrivialAsync(AsyncConnectorBase):
    name = "Trivial async"

    def __init__(self):
        super().__init__(task_type_name="bench_async", metadata_type=Job)

    async def create(self, task_template, output_prefix, inputs=None, **kwargs):
        return Job(job_id="1")

    async def get(self, resource_meta, **kwargs):
        return Resource(phase=TaskExecution.RUNNING, message="running")

    async def delete(self, resource_meta, **kwargs):
        return None


class Blocking(TrivialAsync):
    name = "Blocking"

    def __init__(self):
        AsyncConnectorBase.__init__(self, task_type_name="bench_blocking", metadata_type=Job)

    def create(self, task_template, output_prefix, inputs=None, **kwargs):
        time.sleep(0.5)
        return Job(job_id="1")


class TrivialSync(SyncConnectorBase):
    name = "Trivial sync"

    def __init__(self):
        super().__init__(task_type_name="bench_sync")

    async def do(self, task_template, output_prefix, inputs=None, **kwargs):
        return Resource(phase=TaskExecution.SUCCEEDED, outputs={"o0": "seven"})


async def main(address):
    ConnectorRegistry.register(TrivialAsync())
    ConnectorRegistry.register(TrivialSync())
    ConnectorRegistry.register(Blocking())
    server = grpc.aio.server()
    add_AsyncAgentServiceServicer_to_server(AsyncConnectorService(), server)
    add_SyncAgentServiceServicer_to_server(SyncConnectorService(), server)
    add_AgentMetadataServiceServicer_to_server(ConnectorMetadataService(), server)
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
