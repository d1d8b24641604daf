"""Real servers whose connectors run in processes of their own."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc

from connector_server.app import serve
from connector_server.isolation.kept import KeptChild
from connector_server.isolation.opening import isolated_in
from connector_server.settings import ServerSettings
from tests.connector_server.harness import Peer

__all__ = ["CRAFTY", "apart", "child_of", "gone", "killed_and_back", "leftovers", "until"]

CRAFTY = "tests.connector_server.isolation.crafty"


@asynccontextmanager
async def apart(*names: str, **settings: Any) -> AsyncIterator[Peer]:
    """A server with these entry points and modules in processes of their own, or with the `isolation` that is given.

    `settings` are settings, or `tracer_provider`.
    """
    embedding = {name: settings.pop(name) for name in ("tracer_provider",) if name in settings}
    options: dict[str, Any] = {
        "modules": [name for name in names if "." in name],
        "isolation": dict.fromkeys(names, "process"),
        "grace": 5,
        **settings,
    }
    with TemporaryDirectory() as folder:
        uds = [Path(folder) / "server.sock"]
        async with (
            serve(ServerSettings(**{"uds": uds, **options}), **embedding) as server,
            grpc.aio.insecure_channel(server.addresses[0]) as channel,
        ):
            yield Peer(server, channel)


def child_of(peer: Peer, connector: str) -> KeptChild:
    """What keeps the process of a connector running."""
    return isolated_in(peer.server.dispatcher.registry)[connector]


async def killed_and_back(child: KeptChild) -> None:
    """Kill the process and wait until the next one takes calls."""
    before, pid = child.restarts, child.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: child.restarts > before)


async def until(holds: Callable[[], bool | Awaitable[bool]], *, seconds: float = 20.0) -> None:
    """Wait for something that happens in another process."""
    async with asyncio.timeout(seconds):
        while True:
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.01)


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def leftovers(folder: Path) -> list[str]:
    """The folders of sockets that are still there."""
    return [found.name for found in folder.glob("connectory-apart-*")]
