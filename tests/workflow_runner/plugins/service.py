"""The real connector server, on a unix socket, with its connectors' data in a folder of the test."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from connector_server.app import serve
from connector_server.settings import ServerSettings
from connectory.client.connector import ConnectorClient
from workflow_runner.plugins.patience import Patience

QUICK = Patience(first_poll=0.01, slowest_poll=0.05, first_retry=0.01, slowest_retry=0.05)


@asynccontextmanager
async def serving(socket: Path, ledger: str | Path = "memory", *modules: str) -> AsyncIterator[None]:
    """The server at this socket, with connectors of these modules too."""
    settings = msgspec.convert(
        {"uds": [socket], "ledger": str(ledger), "log_level": "WARNING", "modules": modules}, ServerSettings
    )
    async with serve(settings):
        yield


@asynccontextmanager
async def connector_service(ledger: str | Path = "memory", *modules: str) -> AsyncIterator[list[ConnectorClient]]:
    """The server; gives the clients that reach it."""
    with tempfile.TemporaryDirectory(prefix="cs-") as folder:
        socket = Path(folder) / "s"
        async with serving(socket, ledger, *modules), ConnectorClient(f"unix:{socket}") as client:
            yield [client]
