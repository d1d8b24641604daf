"""The program of a connector's process: `python -m connector_server.isolation.child`, told by its standard input.

It serves the connectors of one source until the server that started it goes away or closes the input.
"""

import asyncio
import faulthandler
import logging
import os
import shutil
import signal
import sys
import threading
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import grpc
import uvloop

from connector_server.isolation.calls import UNLIMITED
from connector_server.isolation.channel import Channel
from connector_server.isolation.loading import described, loaded
from connector_server.isolation.messages import Assignment, Ready, Refused, skew
from connector_server.isolation.records import ChannelHandler
from connector_server.isolation.secrets import CallSecrets
from connector_server.isolation.service import OFTEN, work_handlers
from connector_server.isolation.work import Work
from connector_server.telemetry import call_tracer
from connectory.connector.closing import close
from connectory.connector.contexts import Contexts
from connectory.connector.reports import Reports
from connectory.connector.watchdog import Watchdog
from connectory.errors import ConnectoryError
from connectory.rpc.handlers import register
from connectory.rpc.listeners import listen
from connectory.storage import default_storage
from connectory.types import default_types

__all__ = ["main"]

_SOON: Final = 2.0
"""Seconds beyond its patience that a child may take to end before it is ended."""
_log = logging.getLogger("connectory.isolation")


def main() -> int:
    """Serve; answers the exit code."""
    channel = Channel.of_standard_input()
    assignment = channel.assigned()
    if assignment is None:
        return 1
    if reason := skew(assignment):
        channel.send(Refused(reason=reason))
        return 1
    faulthandler.enable()
    logging.basicConfig(level=assignment.log_level, handlers=[ChannelHandler(channel)], force=True)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(assignment, channel))
    except (ConnectoryError, OSError) as error:
        channel.send(Refused(reason=str(error)))
        return 1


async def _serve(assignment: Assignment, channel: Channel) -> int:
    stop = _stopped_by_the_server_only(channel, assignment)
    registry = loaded(assignment.source)
    async with AsyncExitStack() as stack:
        for registration in registry.list():
            stack.push_async_callback(close, registration)
        types = default_types()
        contexts = Contexts(secrets=CallSecrets(channel, ""), storage=default_storage(), types=types)
        work = Work(registry, contexts, Reports(types), lambda call: CallSecrets(channel, call))
        server = grpc.aio.server(options=UNLIMITED)
        register(server, work_handlers(work, call_tracer(registry, None, stack)), OFTEN)
        listen(server, (), [Path(assignment.socket)], (None, None, None), stack)
        watchdog = Watchdog(asyncio.get_running_loop(), registry=registry)
        watchdog.start()
        stack.callback(watchdog.stop)
        await server.start()
        stack.push_async_callback(server.stop, assignment.patience)
        ready: Ready = described(registry)
        channel.send(ready)
        await stop.wait()
    return 0


def _stopped_by_the_server_only(channel: Channel, assignment: Assignment) -> asyncio.Event:
    """An event that is set when the server is gone. Signals meant for the whole group are the server's to answer."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, _log.debug, "signal %d is left to the server", number)

    def abandoned() -> None:
        shutil.rmtree(Path(assignment.socket).parent, ignore_errors=True)
        loop.call_soon_threadsafe(stop.set)
        threading.Event().wait(assignment.patience + _SOON)
        os._exit(1)

    channel.start(abandoned=abandoned)
    return stop


if __name__ == "__main__":
    sys.exit(main())
