"""The program: a connector server as a process, or as several under a supervisor. Libraries embed `serve` instead."""

import asyncio

import uvloop

from connector_server.process import serve_until_signalled
from connector_server.server import ConnectorServer, serve
from connector_server.settings import ServerSettings
from connector_server.supervisor import Supervisor

__all__ = ["ConnectorServer", "run", "serve"]


def run(settings: ServerSettings) -> int:
    """Serve until SIGTERM or SIGINT, and answer the process's exit code: 0 after an orderly stop.

    Settings that cannot be used, such as a taken address, raise `SettingsError`.
    """
    main = serve_until_signalled(settings) if settings.workers == 1 else Supervisor(settings).run()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
