"""Serves the control API of a runner in the running event loop, and takes it down again in order."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc.aio

from connectory.client.connector import ConnectorClient
from connectory.rpc.access.audit_file import AuditFile
from connectory.rpc.access.opening import open_access
from connectory.rpc.handlers import register, server_options
from connectory.rpc.health import HEALTH_SERVICE, Health, health_handlers
from connectory.rpc.listeners import listen
from connectory.rpc.reflection import REFLECTION_SERVICES, reflection_handlers
from connectory.storage import default_storage
from workflow_runner.control.authentication import authentication_handlers
from workflow_runner.control.background import background_work
from workflow_runner.control.catalog.sql import SqlCatalog
from workflow_runner.control.data.listening import serve_data
from workflow_runner.control.guarded import guarded
from workflow_runner.control.guarding import ControlGuard
from workflow_runner.control.handlers import control_handlers
from workflow_runner.control.names import SERVICES
from workflow_runner.control.service import ControlService
from workflow_runner.control.settings import ControlSettings
from workflow_runner.notifications.channels import Channels
from workflow_runner.runner import Runner

if TYPE_CHECKING:
    from google.protobuf.descriptor_pool import DescriptorPool

__all__ = ["ControlServer", "serve_control"]


@dataclass(frozen=True, kw_only=True)
class ControlServer:
    """A server that is answering calls."""

    addresses: tuple[str, ...]
    """What it listens on, as gRPC targets: "HOST:PORT" with the port that was taken, or "unix:/PATH"."""
    http_url: str
    """Below which signed addresses of uploads and downloads are."""
    health: Health


@asynccontextmanager
async def serve_control(
    settings: ControlSettings,
    runner: Runner,
    *,
    output_prefix: str = "",
    channels: Channels | None = None,
    clock: Callable[[], float] = time.time,
    connectors: Sequence[ConnectorClient] = (),
    by_itself: bool = True,
) -> AsyncIterator[ControlServer]:
    """Serve the control API of an open runner until the block ends.

    Executions that were accepted before and have not begun are begun first. Leaving the block drains: health turns
    NOT_SERVING, no call is accepted, those in flight have `settings.grace` seconds to finish. What runs, goes on.
    `channels` is how people are told of what has ended; without, nobody is. `connectors`, those that the runner's
    plugins use, are asked for the logs of jobs. A server for a single command does nothing `by_itself`: schedules,
    messages and forgetting are left to one that stays.
    """
    async with AsyncExitStack() as stack:
        catalog = SqlCatalog(runner.store.database)
        await catalog.open()
        links = await stack.enter_async_context(
            serve_data(
                settings.http,
                url=settings.http_url,
                certificate=settings.certificate,
                storage=default_storage(),
                most_bytes=settings.max_upload_bytes,
                clock=clock,
            )
        )
        service = ControlService(
            runner,
            catalog,
            links,
            output_prefix=output_prefix,
            clock=clock,
            allowed_prefixes=settings.output_prefixes(output_prefix),
            connectors=connectors,
        )
        stack.push_async_callback(service.ending.close)
        await service.starting.begin_waiting()
        send = (channels or Channels()).send
        if by_itself:
            await stack.enter_async_context(
                background_work(runner, catalog, service.starting, send, clock, settings.retention)
            )
        names = (*(served.name for served in SERVICES), HEALTH_SERVICE, *REFLECTION_SERVICES)
        health = Health(names)
        server = grpc.aio.server(options=server_options(settings.max_message_bytes))
        handlers = {
            **guarded(control_handlers(service.methods(), service.streams(), health.draining), _guard(settings, stack)),
            **authentication_handlers(),
            **health_handlers(health),
            **reflection_handlers(names, health.draining, _descriptions),
        }
        register(server, handlers)
        tls = (settings.tls_cert, settings.tls_key, settings.tls_client_ca)
        addresses = listen(server, settings.listen, settings.uds, tls, stack)
        await server.start()
        stack.push_async_callback(server.stop, settings.grace)
        stack.callback(health.drain)
        yield ControlServer(addresses=addresses, http_url=links.base, health=health)


def _guard(settings: ControlSettings, stack: AsyncExitStack) -> ControlGuard | None:
    access, audit = open_access(settings), None
    if settings.audit_log is not None:
        audit = AuditFile(settings.audit_log)
        stack.callback(audit.close)
    return None if access is None and audit is None else ControlGuard(access, audit)


def _descriptions() -> "DescriptorPool":
    # Optional: descriptions are made when somebody asks for the first one.
    from workflow_runner.control.descriptions import described  # noqa: PLC0415

    return described()
