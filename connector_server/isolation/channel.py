"""The child's end of the socket pair: a thread reads it, and whoever has something to say writes to it."""

import logging
import os
import socket
import threading
from collections.abc import Callable
from typing import Final

import msgspec

from connector_server.isolation.messages import (
    Assignment,
    FromChild,
    LogLevel,
    SecretAnswer,
    SecretWanted,
    ToChild,
    encoded,
)
from connectory.errors import UnavailableError

__all__ = ["Channel"]

_CHUNK: Final = 65536
_decoder: Final[msgspec.json.Decoder[ToChild]] = msgspec.json.Decoder(ToChild)


class _Waiting:
    """A thread that waits for a secret."""

    __slots__ = ("answer", "arrived")

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.answer: SecretAnswer | None = None


class Channel:
    """Messages to and from the server. Threads may use it at once."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("rb", buffering=_CHUNK)
        self._sending = threading.Lock()
        self._waiting: dict[int, _Waiting] = {}
        self._numbers = 0
        self._is_over = False

    @classmethod
    def of_standard_input(cls) -> "Channel":
        """Take standard input, and leave an empty one to the connectors."""
        connection = socket.socket(fileno=os.dup(0))
        empty = os.open(os.devnull, os.O_RDONLY)
        os.dup2(empty, 0)
        os.close(empty)
        return cls(connection)

    def assigned(self) -> Assignment | None:
        """The first message; None when the server is gone already."""
        line = self._lines.readline()
        return msgspec.json.decode(line, type=Assignment) if line else None

    def send(self, message: FromChild) -> None:
        """Tell the server something. When it is gone nobody is told."""
        with self._sending:
            try:
                self._connection.sendall(encoded(message))
            except OSError:
                self._is_over = True

    def ask(self, call: str, key: str, group: str | None, version: str | None) -> SecretAnswer:
        """Wait for a secret of a call. When the server is gone it is an `UnavailableError`."""
        waiting = _Waiting()
        with self._sending:
            self._numbers += 1
            number = self._numbers
            self._waiting[number] = waiting
        self.send(SecretWanted(number=number, call=call, key=key, group=group, version=version))
        if self._is_over:
            waiting.arrived.set()
        waiting.arrived.wait()
        if waiting.answer is None:
            raise UnavailableError("the connector server that knows the secrets is gone")
        return waiting.answer

    def start(self, *, abandoned: Callable[[], None]) -> None:
        """Read on, in a thread; `abandoned` is called there once the server is gone or wants no more."""
        threading.Thread(target=self._read, args=(abandoned,), name="channel", daemon=True).start()

    def _read(self, abandoned: Callable[[], None]) -> None:
        try:
            for line in self._lines:
                self._hear(_decoder.decode(line))
        except OSError:
            pass  # the same as its end
        finally:
            self._is_over = True
            for waiting in list(self._waiting.values()):
                waiting.arrived.set()
            abandoned()

    def _hear(self, message: ToChild) -> None:
        if isinstance(message, LogLevel):
            logging.getLogger().setLevel(message.level)
            return
        waiting = self._waiting.pop(message.number, None)
        if waiting is not None:
            waiting.answer = message
            waiting.arrived.set()
