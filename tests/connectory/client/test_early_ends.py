"""A service that refuses a stream at its first message is quoted, though more was to be written."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio

from connectory.rpc.early_ends import keep_status

PATH = "/test.Stream/Talk"
PART = b"x" * 65_536


async def _refuse(_requests: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
    await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not today")


async def _parts() -> AsyncIterator[bytes]:
    for _ in range(64):
        yield PART


async def _served() -> tuple[grpc.aio.Server, int]:
    server = grpc.aio.server()
    handlers = {"Talk": grpc.stream_stream_rpc_method_handler(_refuse)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Stream", handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, port


async def test_the_services_own_status_arrives() -> None:
    server, port = await _served()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            said = [await _asked(channel) for _ in range(100)]
    finally:
        await server.stop(None)
    assert set(said) == {(grpc.StatusCode.FAILED_PRECONDITION, "not today")}


async def _asked(channel: grpc.aio.Channel) -> tuple[grpc.StatusCode, str | None]:
    try:
        async for _ in keep_status(channel.stream_stream(PATH)(_parts())):
            raise AssertionError("an answer came")
    except grpc.aio.AioRpcError as failure:
        return failure.code(), failure.details()
    raise AssertionError("the call ended well")
