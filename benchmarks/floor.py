"""The floor: a bare grpc.aio server on uvloop that parses the request and builds an answer, with no product in it.

Run as `python -m benchmarks.floor unix:/PATH`.
"""

import asyncio
import sys
from collections.abc import AsyncIterator

import grpc
import uvloop

from benchmarks import messages
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import services_pb2_grpc


class Async(services_pb2_grpc.AsyncConnectorServiceServicer):
    async def CreateTask(self, request: pb.CreateTaskRequest, context: object) -> pb.CreateTaskResponse:
        return pb.CreateTaskResponse(resource_meta=b'{"v":1,"job":{"job_id":"1"}}')

    async def GetTask(self, request: pb.GetTaskRequest, context: object) -> pb.GetTaskResponse:
        return pb.GetTaskResponse(resource=messages.running())

    async def DeleteTask(self, request: pb.DeleteTaskRequest, context: object) -> pb.DeleteTaskResponse:
        return pb.DeleteTaskResponse()


class Sync(services_pb2_grpc.SyncConnectorServiceServicer):
    async def ExecuteTaskSync(
        self, request_iterator: AsyncIterator[pb.ExecuteTaskSyncRequest], context: object
    ) -> AsyncIterator[pb.ExecuteTaskSyncResponse]:
        async for _ in request_iterator:
            pass
        resource = messages.succeeded()
        yield pb.ExecuteTaskSyncResponse(header=pb.ExecuteTaskSyncResponseHeader(resource=resource))
        yield pb.ExecuteTaskSyncResponse(outputs=resource.outputs)


async def main(address: str) -> None:
    server = grpc.aio.server()
    services_pb2_grpc.add_AsyncConnectorServiceServicer_to_server(Async(), server)
    services_pb2_grpc.add_SyncConnectorServiceServicer_to_server(Sync(), server)
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]), loop_factory=uvloop.new_event_loop) if sys.version_info >= (3, 12) else uvloop.run(
        main(sys.argv[1])
    )
