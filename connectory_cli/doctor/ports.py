"""What a server that is started here would listen on: free, its own already, or somebody else's."""

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from connectory.rpc.addresses import Address, parse_address
from connectory_cli.doctor.findings import Finding, fail, ok, warn
from connectory_cli.doctor.patient import Patient

__all__ = ["ports"]

_LONGEST = 107


def ports(patient: Patient) -> Iterator[Finding]:
    """The addresses and sockets of the settings."""
    settings = patient.settings
    if settings is None or patient.address:
        return
    for address in settings.listen:
        yield _address("addresses", address)
    if settings.metrics_address is not None:
        first = parse_address(settings.metrics_address)
        for number in range(settings.workers if first.port else 1):
            yield _address("metrics_address", Address(first.host, first.port + number))
    for path in settings.uds:
        yield _socket(path.absolute())


def _address(about: str, address: Address) -> Finding:
    if not address.port:
        return ok(about, f"{address} takes any free port")
    try:
        resolved = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        return fail(about, f"{address.host} is no name that this machine knows: {error}", "name one of its addresses")
    family, kind, protocol, _, place = resolved[0]
    with socket.socket(family, kind, protocol) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(place)
        except OSError as error:
            return _taken(about, address, error)
    return ok(about, f"{address} is free")


def _taken(about: str, address: Address, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        return warn(
            about, f"{address} is in use", "nothing, if it is this server, which is running; else choose another port"
        )
    if error.errno == errno.EACCES:
        return fail(about, f"{address} is not allowed to this user", "use a port from 1024 on")
    return fail(about, f"{address} cannot be listened on: {error.strerror}", "name an address of this machine")


def _socket(path: Path) -> Finding:
    if len(os.fsencode(path)) > _LONGEST:
        return fail("uds", f"{path} is longer than the {_LONGEST} bytes of a socket", "use a shorter path")
    if not path.parent.is_dir():
        return fail("uds", f"the folder {path.parent} does not exist", f"mkdir -p {path.parent}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return fail(
            "uds", f"the folder {path.parent} cannot be written to", "name another one, or give this user the right"
        )
    if not path.exists():
        return ok("uds", f"{path} is free")
    if not path.is_socket():
        return fail("uds", f"{path} exists and is not a socket", "name another path, or remove it")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(1.0)
        try:
            client.connect(str(path))
        except OSError:
            return ok("uds", f"{path} was left by a server that is gone, and will be replaced")
    return warn("uds", f"{path} is in use", "nothing, if it is this server, which is running; else name another path")
