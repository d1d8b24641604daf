"""Where the measured server sends its telemetry: takes what comes by OTLP over gRPC and forgets it.

Run as `python -m benchmarks.collector PORT`.
"""

import asyncio
import sys
from typing import Any

import grpc.aio

_SERVICES = (
    "opentelemetry.proto.collector.trace.v1.TraceService",
    "opentelemetry.proto.collector.metrics.v1.MetricsService",
)


async def _take(_request: bytes, _context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
    return b""


async def main(port: str) -> None:
    server = grpc.aio.server()
    handlers = {"Export": grpc.unary_unary_rpc_method_handler(_take)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(name, handlers) for name in _SERVICES])
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
