"""One serving process: from its start to its orderly stop."""

import asyncio
import gc
import logging
import os
import sys
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from typing import Final

from connector_server.isolation.opening import isolated_in
from connector_server.logs import TraceIds, configure_logging, no_trace
from connector_server.reloading.reloads import Reloads
from connector_server.reloading.triggers import Wishes, catch_hangup, watch_config
from connector_server.server import ConnectorServer, serve
from connector_server.settings import ServerSettings
from connector_server.supervisor_link import SupervisorLink
from connector_server.unused_names import unused_names
from connectory.connector.ledger.records import JobQuery
from connectory.connector.registry import Registry
from connectory.database.contract import NewerTablesError
from connectory.errors import SettingsError, UnavailableError
from connectory.garbage import spare_what_is_loaded
from connectory.rpc.stopping import catch_signals

__all__ = ["serve_until_signalled"]

_LEDGER_WITHIN: Final = 5.0
_log = logging.getLogger("connectory.server")


async def serve_until_signalled(
    settings: ServerSettings,
    *,
    share_port: bool = False,
    stop: asyncio.Event | None = None,
    link: SupervisorLink | None = None,
) -> int:
    """Serve until a signal, or until `stop` is set; then drain. Answers the exit code.

    SIGHUP reloads. A worker is told by `link` what to reload, and asks there for it.
    """
    _log_as(settings)
    _let_threads_finish()
    signalled = catch_signals() if stop is None else stop
    wishes = Wishes()
    catch_hangup(wishes, signalled)
    async with AsyncExitStack() as stack:
        server = await _started(stack, serve(settings, share_port=share_port), signalled)
        if server is None:
            _log.info("stopped before it served")
            return 0
        await _try_ledger(server)
        for broken in server.dispatcher.registry.broken:
            _log.error("connector %s is broken: %s", broken.name, broken.reason, extra={"source": broken.source})
        facts = {
            "addresses": list(server.addresses),
            "connectors": [one.name for one in server.dispatcher.connectors()],
        }
        if server.metrics_address is not None:
            facts["metrics"] = [server.metrics_address]
        _warn(settings, server.dispatcher.registry)

        def follow(now: ServerSettings, serving: Registry) -> None:
            _log_as(now)
            for child in set(isolated_in(serving).values()):
                child.log_as_the_server()
            _warn(now, serving)

        server.reloads.follow(follow)
        if link is not None:
            link.serving(server.reloads)
        gc.collect()
        spare_what_is_loaded()
        _log.info("serving", extra=facts)
        reloading = asyncio.create_task(_keep_reloading(wishes, server.reloads))
        watching = asyncio.create_task(watch_config(settings, wishes))
        await signalled.wait()
        _log.info("draining", extra={"grace": settings.grace})
        reloading.cancel()
        watching.cancel()
    _log.info("stopped")
    return 0


async def _started(
    stack: AsyncExitStack, serving: AbstractAsyncContextManager[ConnectorServer], stop: asyncio.Event
) -> ConnectorServer | None:
    """The server, which ends with the stack; None: it was to stop before it was there."""
    starting = asyncio.current_task()
    assert starting is not None

    async def interrupt() -> None:
        await stop.wait()
        starting.cancel()

    interrupting = asyncio.create_task(interrupt())
    try:
        return await stack.enter_async_context(serving)
    except asyncio.CancelledError:
        if not stop.is_set() or starting.uncancel() > 0:
            raise
        return None
    finally:
        interrupting.cancel()


async def _keep_reloading(wishes: Wishes, reloads: Reloads) -> None:
    while True:
        modules = await wishes.next()
        with suppress(UnavailableError):  # this process stops
            await (reloads.ask() if modules else reloads.reload(modules=False))


async def _try_ledger(server: ConnectorServer) -> None:
    """A ledger that this release cannot read is a `SettingsError`; one that cannot be used now may be there soon."""
    told = f"the ledger has not answered within {_LEDGER_WITHIN:g} seconds"
    try:
        async with asyncio.timeout(_LEDGER_WITHIN):
            await server.dispatcher.jobs.list(JobQuery(limit=1))
        return
    except UnavailableError as error:
        if isinstance(error.__cause__, NewerTablesError):
            raise SettingsError(error.message) from None
        told = error.message
    except TimeoutError:
        pass
    _log.warning("%s; creates are refused until it does, and the rest serves", told)


def _warn(settings: ServerSettings, registry: Registry) -> None:
    for setting, wrong, remedy in unused_names(settings, registry):
        _log.warning("%s: %s; %s", setting, wrong, remedy)


def _log_as(settings: ServerSettings) -> None:
    configure_logging(settings.log_format, settings.log_level, _current_trace)


def _let_threads_finish() -> None:
    """A thread that is woken waits until the one at work sleeps, or has had its share: a tenth less time per call.

    See docs/decisions/threads-do-not-interrupt-each-other.md. Threads inherit it, so it comes before they are started.
    """
    if sys.platform != "linux" or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return
    try:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    except OSError as error:
        _log.debug("the scheduling of threads is left as it is: %s", error)


def _current_trace() -> tuple[str, str] | None:
    """The ids of the trace we are in, without loading what traces: while it is not loaded there is no trace."""
    tracing = sys.modules.get("connector_server.tracing")
    ids: TraceIds = no_trace if tracing is None else tracing.trace_ids
    return ids()
