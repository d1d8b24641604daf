"""Opens what the server listens on: TCP addresses and unix sockets, each refused with a sentence when it cannot be."""

import os
import socket
import stat
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path

import grpc

from connectory.errors import SettingsError
from connectory.rpc.addresses import Address
from connectory.rpc.certificates import server_credentials

__all__ = ["listen"]

_LONGEST_PATH = 107


def listen_on_address(server: grpc.aio.Server, address: Address, credentials: grpc.ServerCredentials | None) -> Address:
    """Listen on the address, and answer it with the port that was taken."""
    try:
        if credentials is None:
            port = server.add_insecure_port(str(address))
        else:
            port = server.add_secure_port(str(address), credentials)
    except RuntimeError:
        raise SettingsError(
            f"addresses={str(address)!r} cannot be listened on: it is taken, not of this machine, or not allowed;"
            " choose a free port of an address of this machine"
        ) from None
    return Address(address.host, port)


def listen(
    server: grpc.aio.Server,
    addresses: Iterable[Address],
    sockets: Iterable[Path],
    tls: tuple[Path | None, Path | None, Path | None],
    stack: AsyncExitStack,
) -> tuple[str, ...]:
    """Listen on all of them, by TLS with this certificate, key and clients' CA, and answer their gRPC targets.

    The files of the sockets are taken away with the stack.
    """
    # Credentials for each address: gRPC takes their first certificate once, and a second address would get none.
    targets = [str(listen_on_address(server, address, server_credentials(*tls))) for address in addresses]
    for path in sockets:
        unix_socket = listen_on_socket(server, path)
        stack.callback(unix_socket.remove)
        targets.append(f"unix:{unix_socket.path}")
    return tuple(targets)


class UnixSocket:
    """The file of a unix socket that this process listens on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._inode = path.lstat().st_ino

    def remove(self) -> None:
        """Take the file away, unless another server has put its own there."""
        try:
            if self.path.lstat().st_ino == self._inode:
                self.path.unlink()
        except FileNotFoundError:
            return


def listen_on_socket(server: grpc.aio.Server, path: Path) -> UnixSocket:
    """Listen on a unix socket that only this user may use; the file of a dead server is replaced."""
    path = path.absolute()
    _clear(path)
    before = os.umask(0o177)
    try:
        server.add_insecure_port(f"unix:{path}")
    except RuntimeError:
        raise SettingsError(
            f"uds={str(path)!r} cannot be listened on; name a path in a folder that exists and may be written to"
        ) from None
    finally:
        os.umask(before)
    return UnixSocket(path)


def _clear(path: Path) -> None:
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise SettingsError(
            f"uds={str(path)!r} is longer than the {_LONGEST_PATH} bytes of a socket; use a shorter path"
        )
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SettingsError(f"uds={str(path)!r} exists and is not a socket; name another path or remove it")
    if _answers(path):
        raise SettingsError(f"uds={str(path)!r} is in use by a running server; stop that one or name another path")
    path.unlink(missing_ok=True)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError as error:
            raise SettingsError(f"uds={str(path)!r} cannot be tried: {error}; name another path") from None
    return True
