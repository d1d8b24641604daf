"""A network between a test and PostgreSQL that can fall silent."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from tests.postgres import PostgresServer

__all__ = ["Network", "network_to"]


class Network:
    """What carries connections to a server, as a process of its own."""

    def __init__(self, server: PostgresServer, folder: str) -> None:
        self._server = server
        self._folder = folder
        socket = f".s.PGSQL.{server.port}"
        command = [sys.executable, "-m", "tests.chaos.proxy", f"{folder}/{socket}", f"{server.folder}/{socket}"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "up\n"

    def through(self, url: str) -> str:
        """The URL of a database on the server's socket, over this network."""
        return url.replace(str(self._server.folder), self._folder)

    def tell(self, word: str) -> None:
        """`stall`: connections stay and are made, and nothing comes through. `cut`: they break. `heal`: all is well.

        It is so when this returns.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == f"{word}\n"

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def network_to(server: PostgresServer) -> Iterator[Network]:
    """A network that works until it is told otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        network = Network(server, folder)
        try:
            yield network
        finally:
            network.close()
