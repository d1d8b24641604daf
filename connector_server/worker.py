"""One worker of a supervised server: `python -m connector_server.worker`, with its settings on standard input."""

import asyncio
import json
import logging
import os
import sys

import uvloop

from connector_server.process import serve_until_signalled
from connector_server.settings import ServerSettings
from connector_server.supervisor import UNUSABLE_SETTINGS
from connectory.errors import SettingsError
from connectory.rpc.stopping import catch_signals

__all__ = ["main"]

_log = logging.getLogger("connectory.server")


async def _work(settings: ServerSettings) -> int:
    stop = catch_signals()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    watching = asyncio.create_task(_stop_when_abandoned(reader, stop))
    try:
        return await serve_until_signalled(settings, share_port=True, stop=stop)
    finally:
        watching.cancel()


async def _stop_when_abandoned(supervisor: asyncio.StreamReader, stop: asyncio.Event) -> None:
    while await supervisor.read(1024):
        continue
    stop.set()


def _first_line(descriptor: int) -> bytes:
    """The first line and not a byte more: what follows is watched, not read."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(descriptor, 1)):
        line += byte
    return line


def main() -> int:
    """Serve as one of several; answers the exit code."""
    line = _first_line(sys.stdin.fileno())
    try:
        settings = ServerSettings(**json.loads(line))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_work(settings))
    except SettingsError as error:
        _log.error("%s", error)
        return UNUSABLE_SETTINGS


if __name__ == "__main__":
    sys.exit(main())
