"""`connectory runner serve`: a runner as a service, driven through its control API."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import uvloop

from connector_server.logs import configure_logging
from connectory.rpc.stopping import catch_signals
from connectory_cli.home import Places, places
from connectory_cli.sessions import open_session
from workflow_runner.control.server import serve_control
from workflow_runner.control.settings import ControlSettings
from workflow_runner.notifications.channels import channels_from
from workflow_runner.plugins.python_task import Executor

__all__ = ["ServeOptions", "serve"]

_log = logging.getLogger("connectory.runner")


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """What `connectory runner serve` was asked for."""

    control: ControlSettings
    store: str | None
    output_prefix: str | None
    endpoints: Sequence[str]
    modules: Sequence[str]
    executor: Executor
    log_level: str


def serve(options: ServeOptions) -> int:
    """Serve until SIGTERM or SIGINT; what runs then is paused, and goes on when the next runner starts."""
    configure_logging("console", options.log_level)
    return uvloop.run(_serve(options, places(options.store, options.output_prefix)))


async def _serve(options: ServeOptions, where: Places) -> int:
    stop = catch_signals()
    async with (
        open_session(
            where, endpoints=options.endpoints, modules=options.modules, executor=options.executor, adopt=True
        ) as session,
        serve_control(
            options.control,
            session.runner,
            output_prefix=where.outputs,
            channels=channels_from(),
            connectors=session.connectors,
        ) as server,
    ):
        _log.info("serving", extra={"addresses": list(server.addresses), "store": where.shown})
        await stop.wait()
        _log.info("stopping: what runs is paused, jobs outside go on")
    _log.info("stopped")
    return 0
