"""What asks a running server for a reload besides the RPC: SIGHUP, and its configuration file when it is watched."""

import asyncio
import os
import signal
import sys

from connector_server.settings import ServerSettings
from connectory.rpc.watched_file import stamp_of

__all__ = ["Wishes", "catch_hangup", "watch_config"]


class Wishes:
    """Reloads that were asked for and did not begin yet; however many they are, one reload fulfils them."""

    def __init__(self) -> None:
        self._any = asyncio.Event()
        self._modules = False

    def wish(self, *, modules: bool = True) -> None:
        """Ask for one; with `modules` connectors are loaded anew, too."""
        self._modules = self._modules or modules
        self._any.set()

    async def next(self) -> bool:
        """Wait for the next; answers whether connectors are loaded anew. What is asked for from now on is another."""
        await self._any.wait()
        modules, self._modules = self._modules, False
        self._any.clear()
        return modules


def catch_hangup(wishes: Wishes, stop: asyncio.Event) -> None:
    """Let SIGHUP ask for a reload, instead of ending the process. That of a terminal which is gone stops the server."""
    on_terminal = sys.stderr.isatty()

    def hangup() -> None:
        if on_terminal and not os.isatty(sys.stderr.fileno()):
            stop.set()
        else:
            wishes.wish()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hangup)


async def watch_config(settings: ServerSettings, wishes: Wishes) -> None:
    """Ask for the settings to be read again whenever the configuration file is another one than before.

    A file that is replaced by a link to another, as Kubernetes does, has changed too.
    """
    if settings.config is None or settings.config_check_every <= 0:
        return
    before = stamp_of(settings.config)
    while True:
        await asyncio.sleep(settings.config_check_every)
        now = stamp_of(settings.config)
        if now != before:
            before = now
            wishes.wish(modules=False)
