"""How a channel comes to its connection."""

import asyncio
import contextlib
from pathlib import Path

import grpc.aio
from grpc_health.v1 import health_pb2

from connectory.client.channel import open_channel
from connectory.rpc.handlers import register
from connectory.rpc.health import Health, health_handlers

SLOW = 0.6


async def test_a_server_that_is_slow_to_greet_is_waited_for(tmp_path: Path) -> None:
    """As one is that is far away, speaks TLS over many hops, or has much to do."""
    here, there = f"{tmp_path}/here.sock", f"{tmp_path}/there.sock"

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            while data := await reader.read(65536):
                writer.write(data)

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(SLOW)
        far_reader, far_writer = await asyncio.open_unix_connection(there)
        await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))

    server = grpc.aio.server()
    register(server, health_handlers(Health(())))
    server.add_insecure_port(f"unix:{there}")
    await server.start()
    try:
        async with await asyncio.start_unix_server(connect, here), open_channel(f"unix:{here}") as channel:
            check = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            assert (await check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
    finally:
        await server.stop(None)
