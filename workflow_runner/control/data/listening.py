"""Listens for uploads and downloads."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from connectory.errors import SettingsError
from connectory.rpc.addresses import Address
from connectory.storage import Storage
from workflow_runner.control.data.http import DataEndpoint
from workflow_runner.control.data.links import Links

__all__ = ["serve_data"]


@asynccontextmanager
async def serve_data(
    address: Address,
    *,
    url: str,
    certificate: tuple[Path, Path] | None,
    storage: Storage,
    most_bytes: int,
    clock: Callable[[], float],
) -> AsyncIterator[Links]:
    """Answer at the addresses that the links make, which begin with `url`, or else with the address itself.

    `certificate` are the PEM files of a certificate and its key; None: plain HTTP.
    """
    listener = _bound(address)
    taken = Address(address.host, listener.getsockname()[1])
    scheme = "http" if certificate is None else "https"
    links = Links(url.rstrip("/") or f"{scheme}://{taken}", clock)
    endpoint = DataEndpoint(links, storage, most_bytes=most_bytes)
    server = await asyncio.start_server(endpoint.connected, sock=listener, ssl=_context(certificate))
    try:
        yield links
    finally:
        server.close()
        await endpoint.close()
        await server.wait_closed()


def _bound(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
    except OSError as error:
        listener.close()
        text = f"--http-address {address} cannot be listened on: {error.strerror}"
        raise SettingsError(f"{text}; choose a free port of this machine") from None
    return listener


def _context(certificate: tuple[Path, Path] | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context
