"""Health by `grpc.health.v1`: of the whole server, of each served name, and of each connector.

The names are "" (the whole), every full service name, and "connector/TYPE@VERSION" for a task category. The whole and
the services serve until the server drains; a connector serves while its own `check` succeeds. A connector that cannot
work never makes the whole unhealthy, because the others can.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from functools import partial
from time import monotonic
from typing import Any

import grpc
from grpc_health.v1 import health_pb2

from connectory.connector.contract import TaskCategory
from connectory.rpc.decoding import decoded
from connectory.rpc.handlers import CallContext, MethodHandler

__all__ = ["HEALTH_SERVICE", "Health", "connector_health_name", "health_handlers"]

HEALTH_SERVICE = "grpc.health.v1.Health"
_SERVING: int = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING: int = health_pb2.HealthCheckResponse.NOT_SERVING
_SERVICE_UNKNOWN: int = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
_log = logging.getLogger("connectory.server.health")

Check = Callable[[TaskCategory], Awaitable[None]]


async def _serves(_category: TaskCategory) -> None:
    return


def connector_health_name(category: TaskCategory) -> str:
    """The name under which a connector's health is asked for."""
    return f"connector/{category}"


class _Probe:
    """One connector's health, asked at most once per `every` seconds, and by one at a time."""

    def __init__(self, category: TaskCategory, check: Check, *, every: float, timeout: float) -> None:
        self._category = category
        self._check = check
        self._every = every
        self._timeout = timeout
        self._lock = asyncio.Lock()
        self._serving = True
        self._asked: float | None = None

    async def status(self) -> int:
        async with self._lock:
            if self._asked is None or monotonic() - self._asked >= self._every:
                await self._ask()
                self._asked = monotonic()
            return _SERVING if self._serving else _NOT_SERVING

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await self._check(self._category)
        except TimeoutError:
            self._change(False, f"its check did not answer within {self._timeout:g} seconds")
        except Exception as error:
            self._change(False, str(error))
        else:
            self._change(True, "its check succeeds")

    def _change(self, serving: bool, why: str) -> None:
        if serving != self._serving:
            level, state = (logging.INFO, "healthy again") if serving else (logging.WARNING, "not healthy")
            _log.log(level, "connector %s is %s: %s", self._category, state, why)
        self._serving = serving


class Health:
    """What the server answers about its health. Draining is final."""

    def __init__(
        self,
        services: Iterable[str],
        categories: Iterable[TaskCategory] = (),
        check: Check = _serves,
        *,
        every: float = 5.0,
        timeout: float = 3.0,
    ) -> None:
        self._services = frozenset({"", *services})
        self._probe = partial(_Probe, check=check, every=every, timeout=timeout)
        self._probes: dict[str, _Probe] = {}
        self._every = every
        self.know(categories)
        self.draining = asyncio.Event()

    def know(self, categories: Iterable[TaskCategory]) -> None:
        """From now on these are the connectors' categories. Each is looked at anew; others are unknown."""
        self._probes = {connector_health_name(category): self._probe(category) for category in categories}

    def drain(self) -> None:
        """From now on nothing serves, and every watcher is told so."""
        self.draining.set()

    async def status(self, name: str) -> int | None:
        """The health of this name; None for an unknown one."""
        probe = self._probes.get(name)
        if probe is None and name not in self._services:
            return None
        if self.draining.is_set():
            return _NOT_SERVING
        return _SERVING if probe is None else await probe.status()

    async def list(self) -> dict[str, int]:
        """The health of every known name."""
        names = [*sorted(self._services), *sorted(self._probes)]
        statuses = await asyncio.gather(*(self.status(name) for name in names))
        return {name: status for name, status in zip(names, statuses, strict=True) if status is not None}

    async def watch(self, name: str) -> AsyncIterator[int]:
        """The health of this name now, and again whenever it changes, until the server drains."""
        last = None
        while True:
            drained = self.draining.is_set()
            status = await self.status(name)
            status = _SERVICE_UNKNOWN if status is None else status
            if status != last:
                yield status
                last = status
            if drained:
                return
            await self._next_look(name)

    async def _next_look(self, name: str) -> None:
        try:
            async with asyncio.timeout(None if name in self._services else self._every):
                await self.draining.wait()
        except TimeoutError:
            return


def health_handlers(health: Health) -> dict[str, MethodHandler]:
    """Handlers of the health service under their full names."""

    async def check(data: bytes, context: CallContext) -> Any:
        request = await decoded(health_pb2.HealthCheckRequest, data, context)
        status = await health.status(request.service)
        if status is None:
            await context.abort(
                grpc.StatusCode.NOT_FOUND, f"nothing here is called {request.service!r}; List tells the known names"
            )
        return health_pb2.HealthCheckResponse(status=status)

    async def watch(data: bytes, context: CallContext) -> None:
        request = await decoded(health_pb2.HealthCheckRequest, data, context)
        async for status in health.watch(request.service):
            await context.write(health_pb2.HealthCheckResponse(status=status))
        await context.abort(grpc.StatusCode.UNAVAILABLE, "the server is stopping")

    async def list_all(_request: bytes, _context: CallContext) -> bytes:
        # Optional: these messages are made when somebody asks for the first list.
        from connectory.rpc.health_messages import HealthListResponse  # noqa: PLC0415

        statuses = {name: {"status": status} for name, status in (await health.list()).items()}
        return bytes(HealthListResponse(statuses=statuses).SerializeToString())

    encode = health_pb2.HealthCheckResponse.SerializeToString
    return {
        f"/{HEALTH_SERVICE}/Check": grpc.unary_unary_rpc_method_handler(check, response_serializer=encode),
        f"/{HEALTH_SERVICE}/Watch": grpc.unary_stream_rpc_method_handler(watch, response_serializer=encode),
        f"/{HEALTH_SERVICE}/List": grpc.unary_unary_rpc_method_handler(list_all),
    }
