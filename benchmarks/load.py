"""The load: a fixed number of callers, each asking again as soon as it is answered, over one connection."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from statistics import quantiles
from typing import Any

import grpc

from benchmarks import messages
from benchmarks.servers import Server
from connectory.v1 import connector_pb2 as pb

__all__ = ["Caller", "Load", "connect"]

Call = Callable[[int], Awaitable[object]]


@dataclass(frozen=True, kw_only=True)
class Load:
    """What one run of one operation showed."""

    calls: int
    seconds: float
    p50: float
    """Milliseconds."""
    p99: float
    """Milliseconds."""

    @property
    def rate(self) -> float:
        """Calls per second."""
        return self.calls / self.seconds


def connect(address: str) -> grpc.aio.Channel:
    """A channel that passes bytes as they are, so that the client's own cost stays small."""
    return grpc.aio.insecure_channel(
        address,
        options=[
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.initial_reconnect_backoff_ms", 20),
            ("grpc.min_reconnect_backoff_ms", 20),
            ("grpc.max_reconnect_backoff_ms", 50),
        ],
    )


class Caller:
    """Calls one server, under the service names that it has."""

    def __init__(self, channel: grpc.aio.Channel, server: Server) -> None:
        def unary(method: str) -> Any:
            path = f"/{server.package}.{server.async_service}/{method}"
            return partial(channel.unary_unary(path), metadata=server.metadata)

        self._create, self._get, self._delete = unary("CreateTask"), unary("GetTask"), unary("DeleteTask")
        execute: Any = channel.stream_stream(f"/{server.package}.{server.sync_service}/ExecuteTaskSync")
        self._execute = partial(execute, metadata=server.metadata)
        self._sync = messages.sync_requests()
        self._numbers = iter(range(10**9))

    async def ready(self) -> None:
        """Ask until the server answers, and learn the form of its handles."""
        handle = await self._create(messages.create_request(next(self._numbers)), wait_for_ready=True, timeout=30)
        meta = pb.CreateTaskResponse.FromString(handle).resource_meta
        self._get_request, self._delete_request = messages.get_request(meta), messages.delete_request(meta)

    async def _execute_once(self) -> None:
        call = self._execute(iter(self._sync))
        answers = [answer async for answer in call]
        assert answers, "ExecuteTaskSync answered nothing"

    async def create(self, number: int, task_type: str = messages.ASYNC_TYPE) -> bytes:
        """Start a job of its own; answers its handle."""
        request = messages.create_request(number, task_type)
        return pb.CreateTaskResponse.FromString(await self._create(request)).resource_meta

    async def whole_life(self) -> None:
        """Start a job, ask about it, delete it."""
        handle = await self.create(next(self._numbers))
        await self._get(messages.get_request(handle))
        await self._delete(messages.delete_request(handle))

    async def once(self, operation: str) -> None:
        """One call about the job of `ready`, or one that is done at once."""
        await (self._execute_once() if operation == "ExecuteTaskSync" else self._get(self._get_request))

    async def paced(self, operation: str, *, per_second: int, calls: int) -> Load:
        """Calls that begin in a fixed rhythm: all that fall into a stall feel it. Those that fail never end."""
        waits: list[float] = []
        begun = time.perf_counter()

        async def one(number: int) -> None:
            due = begun + number / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            try:
                await self.once(operation)
            except grpc.aio.AioRpcError:
                waits.append(math.inf)
            else:
                waits.append((time.perf_counter() - due) * 1000)

        await asyncio.gather(*(one(number) for number in range(calls)))
        waits.sort()
        seconds = time.perf_counter() - begun
        return Load(calls=calls, seconds=seconds, p50=waits[calls // 2], p99=waits[calls * 99 // 100])

    async def run(self, operation: str, *, callers: int, calls: int) -> Load:
        """Make `calls` calls of `operation` from `callers` concurrent callers."""
        creates = [
            messages.create_request(next(self._numbers)) for _ in range(calls if operation == "CreateTask" else 0)
        ]
        once: dict[str, Call] = {
            "CreateTask": lambda i: self._create(creates[i]),
            "GetTask": lambda i: self._get(self._get_request),
            "DeleteTask": lambda i: self._delete(self._delete_request),
            "ExecuteTaskSync": lambda i: self._execute_once(),
        }
        call, waits, numbers = once[operation], [], iter(range(calls))

        async def caller() -> None:
            for number in numbers:
                begun = time.perf_counter()
                await call(number)
                waits.append((time.perf_counter() - begun) * 1000)

        begun = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(callers)))
        seconds = time.perf_counter() - begun
        cuts = quantiles(waits, n=100)
        return Load(calls=calls, seconds=seconds, p50=cuts[49], p99=cuts[98])
