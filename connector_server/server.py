"""Builds a connector server from its settings inside a running event loop, and takes it down again in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import grpc

from connector_server.admission import Admission
from connector_server.gauges import Gauges
from connector_server.isolation.opening import end_processes, opened
from connector_server.jobs import JOB_OPERATIONS, job_handlers
from connector_server.ledgers import chosen_ledger
from connector_server.measurements import Measurements
from connector_server.methods import Guard
from connector_server.names import JOB_SERVICE, OPERATIONS_SERVICE, SERVICES, WATCH_SERVICE
from connector_server.reaper import Pace, reaper
from connector_server.reloading.connectors import reopened
from connector_server.reloading.reloads import Reloads
from connector_server.reloading.service import RELOAD, reload_handlers
from connector_server.services import OFTEN, OPERATIONS, connector_handlers
from connector_server.settings import ServerSettings
from connector_server.telemetry import call_tracer, otlp_is_wanted
from connector_server.watching import WATCH_OPERATIONS, TaskWatches
from connectory.connector.contract import TaskCategory
from connectory.connector.dispatch import Dispatcher
from connectory.connector.job_policies import Policies
from connectory.connector.ledger import Ledger
from connectory.connector.registry import Registry
from connectory.connector.secret_rules import SecretRules
from connectory.connector.signing import signer_from
from connectory.connector.watchdog import Watchdog
from connectory.rpc.addresses import parse_address
from connectory.rpc.handlers import register, server_options
from connectory.rpc.health import HEALTH_SERVICE, Health, health_handlers
from connectory.rpc.listeners import listen
from connectory.rpc.reflection import REFLECTION_SERVICES, reflection_handlers
from connectory.secrets import default_secrets
from connectory.storage import default_storage
from connectory.types import default_types

if TYPE_CHECKING:
    from google.protobuf.descriptor_pool import DescriptorPool
    from opentelemetry.trace import TracerProvider

__all__ = ["ConnectorServer", "serve"]


@dataclass(frozen=True, kw_only=True)
class ConnectorServer:
    """A server that is answering calls."""

    addresses: tuple[str, ...]
    """What it listens on, as gRPC targets: "HOST:PORT" with the port that was taken, or "unix:/PATH"."""
    metrics_address: str | None
    """Where Prometheus metrics are served, with the port that was taken; None: nowhere."""
    dispatcher: Dispatcher
    health: Health
    measurements: Measurements
    watchdog: Watchdog
    admission: Admission
    reloads: Reloads
    """How it is changed while it runs."""


@asynccontextmanager
async def serve(
    settings: ServerSettings,
    *,
    registry: Registry | None = None,
    ledger: Ledger | None = None,
    tracer_provider: "TracerProvider | None" = None,
    share_port: bool = False,
) -> AsyncIterator[ConnectorServer]:
    """Serve connectors in the running event loop until the block ends.

    Without `registry` connectors are discovered; without `ledger` the settings choose one; without `tracer_provider`
    the `OTEL_*` variables decide whether there are spans. `share_port` lets several processes listen on one address.

    Leaving the block drains: health turns NOT_SERVING, no call is accepted, those in flight have `settings.grace`
    seconds to finish, then the connectors are closed.
    """
    async with AsyncExitStack() as stack:
        rediscover = reopened if registry is None else None
        registry = await opened(settings) if registry is None else registry
        stack.push_async_callback(end_processes, registry)
        dispatcher = Dispatcher(
            registry,
            secrets=default_secrets(),
            storage=default_storage(),
            types=default_types(),
            ledger=_ledger(settings) if ledger is None else ledger,
            policies=Policies(on_orphan=settings.on_orphan, lease=settings.lease, ambiguous=settings.ambiguous),
            limits=settings.limits,
            signer=None if settings.handle_keys is None else signer_from(settings.handle_keys),
            secret_rules=SecretRules(settings.secrets_allow),
        )
        stack.push_async_callback(dispatcher.aclose, timeout=settings.grace)
        measurements = Measurements(
            (*OPERATIONS, *JOB_OPERATIONS, *WATCH_OPERATIONS, RELOAD),
            (category.name for category in _categories(registry)),
        )
        health = Health(_service_names(), _categories(registry), dispatcher.check)
        tracer = call_tracer(registry, tracer_provider, stack)
        guard = _guard(settings, stack)
        admission = Admission(settings.max_in_flight)
        pace = Pace(settings.reap_every)
        reloads = Reloads(settings, dispatcher, rediscover)
        stack.push_async_callback(reloads.aclose)
        watchdog = Watchdog(asyncio.get_running_loop(), registry=registry)
        metrics_address = _metrics(
            settings, measurements, _gauges(registry, watchdog, dispatcher, admission, reloads), stack
        )
        server = grpc.aio.server(options=server_options(settings.max_message_bytes, share_port=share_port))
        watches = TaskWatches(dispatcher.watching, settings.max_message_bytes)
        handlers = {
            **connector_handlers(dispatcher, measurements, admission, tracer, guard),
            **job_handlers(dispatcher.jobs, measurements, tracer, guard),
            **watches.handlers(measurements, admission, tracer, guard),
            **reload_handlers(reloads, measurements, tracer, guard),
            **health_handlers(health),
            **reflection_handlers(_service_names(), health.draining, _descriptions),
        }

        def follow(now: ServerSettings, serving: Registry) -> None:
            categories = _categories(serving)
            measurements.add(category.name for category in categories)
            health.know(categories)
            admission.most = now.max_in_flight
            pace.change(now.reap_every)

        reloads.follow(follow)
        register(server, handlers, OFTEN)
        tls = (settings.tls_cert, settings.tls_key, settings.tls_client_ca)
        addresses = listen(server, settings.listen, settings.uds, tls, stack)
        watchdog.start()
        stack.callback(watchdog.stop)
        await server.start()
        await stack.enter_async_context(reaper(dispatcher.jobs.reaping, pace))
        stack.push_async_callback(server.stop, settings.grace)
        stack.callback(watches.drain)
        stack.callback(dispatcher.reading.stop)
        stack.callback(health.drain)
        yield ConnectorServer(
            addresses=addresses,
            metrics_address=metrics_address,
            dispatcher=dispatcher,
            health=health,
            measurements=measurements,
            watchdog=watchdog,
            admission=admission,
            reloads=reloads,
        )


def _service_names() -> tuple[str, ...]:
    return (
        *(served.name for served in (*SERVICES, JOB_SERVICE, WATCH_SERVICE, OPERATIONS_SERVICE)),
        HEALTH_SERVICE,
        *REFLECTION_SERVICES,
    )


def _descriptions() -> "DescriptorPool":
    # Optional: descriptions are made when somebody asks for the first one.
    from connector_server.descriptions import describe  # noqa: PLC0415

    return describe()


def _categories(registry: Registry) -> list[TaskCategory]:
    return [category for registration in registry.list() for category in registration.categories]


def _ledger(settings: ServerSettings) -> Ledger:
    return chosen_ledger(settings.ledger, timedelta(seconds=settings.ledger_lease))


def _gauges(
    registry: Registry, watchdog: Watchdog, dispatcher: Dispatcher, admission: Admission, reloads: Reloads
) -> Gauges:
    return Gauges(
        registry,
        loop_lag=lambda: watchdog.lag,
        jobs=lambda: dispatcher.jobs.reaping.count,
        limits=dispatcher.gates.counts,
        admission=admission,
        watched=dispatcher.watching.counts,
        reloads=reloads,
        retiring=lambda: dispatcher.retiring,
    )


def _metrics(settings: ServerSettings, measurements: Measurements, gauges: Gauges, stack: AsyncExitStack) -> str | None:
    pushed = otlp_is_wanted("METRICS")
    if settings.metrics_address is None and not pushed:
        return None
    # Optional: a server that shows no metrics does not pay for their client library.
    from connector_server.prometheus import ServerCollector, serve_metrics  # noqa: PLC0415

    collector = ServerCollector(measurements=measurements, gauges=gauges)
    if pushed:
        # Optional: without OTEL_* variables the SDK is never loaded.
        from connector_server.otlp_metrics import metrics_export  # noqa: PLC0415

        export = metrics_export(collector)
        export.start()
        stack.push_async_callback(asyncio.to_thread, export.shutdown)
    if settings.metrics_address is None:
        return None
    return str(stack.enter_context(serve_metrics(parse_address(settings.metrics_address), collector)))


def _guard(settings: ServerSettings, stack: AsyncExitStack) -> Guard | None:
    if settings.tokens is None and settings.jwt_jwks is None and settings.audit_log is None:
        return None
    # Optional: a server that lets everybody in, unseen, loads nothing for it.
    from connector_server.guarding import open_guard  # noqa: PLC0415

    return open_guard(settings, stack)
