"""One worker of a supervised server: `python -m connector_server.worker`, with its settings on standard input."""

import asyncio
import json
import logging
import sys

import uvloop

from connector_server.process import serve_until_signalled
from connector_server.settings import ServerSettings
from connector_server.supervisor import UNUSABLE_SETTINGS
from connector_server.supervisor_link import SupervisorLink, first_line
from connectory.errors import SettingsError
from connectory.rpc.stopping import catch_signals

__all__ = ["main"]

_log = logging.getLogger("connectory.server")


async def _work(settings: ServerSettings) -> int:
    stop = catch_signals()
    link = await SupervisorLink.opened()
    listening = asyncio.create_task(link.listen())
    listening.add_done_callback(lambda _: stop.set())
    try:
        return await serve_until_signalled(settings, share_port=True, stop=stop, link=link)
    finally:
        listening.cancel()


def main() -> int:
    """Serve as one of several; answers the exit code."""
    line = first_line()
    try:
        settings = ServerSettings.exactly(json.loads(line))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_work(settings))
    except SettingsError as error:
        _log.error("%s", error)
        return UNUSABLE_SETTINGS


if __name__ == "__main__":
    sys.exit(main())
