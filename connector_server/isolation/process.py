"""One child: listened to, watched and ended by the server."""

import asyncio
import logging
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import msgspec
from google.protobuf import empty_pb2

from connector_server.isolation.folders import PrivateFolder
from connector_server.isolation.link import Link
from connector_server.isolation.messages import (
    LONGEST_LINE,
    PROTOCOL,
    Assignment,
    FromChild,
    Logged,
    LogLevel,
    Ready,
    Refused,
    SecretWanted,
    Source,
    encoded,
    release,
)
from connector_server.isolation.output import Output
from connector_server.isolation.records import relog
from connector_server.isolation.secrets import answered
from connector_server.settings.isolation import Apart
from connectory.errors import ConnectorError, ConnectoryError, DeadlineExceededError

__all__ = ["Child", "ChildError", "Plan"]

_BEYOND_PATIENCE: Final = 5.0
_LAST_WORDS: Final = 0.5
_decoder: Final[msgspec.json.Decoder[FromChild]] = msgspec.json.Decoder(FromChild)
_log = logging.getLogger("connectory.isolation")


class ChildError(ConnectoryError):
    """A child could not be started; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a child is to serve, and how it runs."""

    name: str
    """What it is called in logs and metrics."""
    source: Source
    apart: Apart
    start_within: float = 60.0
    """Seconds that it may take until it answers calls."""
    ping_every: float = 10.0
    hung_after: float = 60.0
    """Seconds without an answer to a ping after which its event loop counts as stuck for ever."""
    patience: float = 5.0
    """Seconds that its connectors may take to close."""


class Child:
    """A running child."""

    def __init__(self, plan: Plan, process: asyncio.subprocess.Process, folder: PrivateFolder, output: Output) -> None:
        self.plan = plan
        self._socket = str(folder.path / "calls")
        self.link = Link(self._socket)
        self.ready: Ready | None = None
        self._process = process
        self._folder = folder
        self.facts = {"connector_process": plan.name, "pid": process.pid}
        """Whose lines of the log are."""
        self._output = output
        self._pinging: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._is_told = True
        """Whether it is still told something."""

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    async def begin(self, connection: socket.socket) -> Ready:
        """Tell the child what to do, and wait until it does. A `ChildError` says why it does not."""
        reader, self._writer = await asyncio.open_unix_connection(sock=connection, limit=LONGEST_LINE)
        self._writer.write(encoded(self._assignment()))
        first = await self._first_word(reader)
        if isinstance(first, Refused):
            raise ChildError(first.reason)
        if first is None:
            how = f"{await self.ended()} before it was ready"
            raise ChildError(f"{how}: {self._output}" if str(self._output) else how)
        self.ready = first
        self._reading = asyncio.create_task(self._listen(reader))
        self._pinging = asyncio.create_task(self._ping())
        self.log_as_the_server()  # it may have changed since the assignment
        return first

    def log_as_the_server(self) -> None:
        """Have it log what this process logs."""
        if self._writer is not None and self._is_told:
            self._writer.write(encoded(LogLevel(level=_log_level())))

    async def exited(self) -> None:
        """Wait until the process is no more."""
        await self._process.wait()

    async def ended(self) -> str:
        """Wait for its end and its last words; answers how it ended, as the end of a sentence."""
        code = await self._process.wait()
        await self._output.finished(within=_LAST_WORDS)
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=_LAST_WORDS)
        return f"it was killed by {signal.Signals(-code).name}" if code < 0 else f"it ended with exit code {code}"

    async def aclose(self) -> None:
        """End it: let its connectors close, and kill it when that takes too long."""
        self._is_told = False
        if self._writer is not None:
            with suppress(OSError, RuntimeError):  # the loop's word for a connection that is closed already
                self._writer.write_eof()
        if self.ready is None:
            self._kill()
        try:
            async with asyncio.timeout(self.plan.patience + _BEYOND_PATIENCE):
                await self.ended()
        except TimeoutError:
            _log.error("the process of connector %s did not end and is killed", self.plan.name, extra=self.facts)
            self._kill()
            await self._process.wait()
        finally:
            self._kill()
            self._output.close()
            for task in (self._reading, self._pinging):
                if task is not None:
                    task.cancel()
            if self._writer is not None:
                self._writer.close()
            self._folder.remove()
            await self.link.aclose()

    def _assignment(self) -> Assignment:
        return Assignment(
            protocol=PROTOCOL,
            release=release(),
            source=self.plan.source,
            socket=self._socket,
            log_level=_log_level(),
            patience=self.plan.patience,
        )

    async def _first_word(self, reader: asyncio.StreamReader) -> Ready | Refused | None:
        """What it says beside its log; None when it ends instead."""
        while line := await _line(reader):
            message = _decoder.decode(line)
            if isinstance(message, Ready | Refused):
                return message
            self._hear(message)
        return None

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await _line(reader)
                if not line:
                    return
                self._hear(_decoder.decode(line))
            except (msgspec.DecodeError, ValueError) as error:
                _log.error("a message of a connector's process cannot be read: %s", error, extra=self.facts)

    def _hear(self, message: FromChild) -> None:
        if isinstance(message, Logged):
            relog(message, self.facts)
        elif isinstance(message, SecretWanted) and self._writer is not None and self._is_told:
            self._writer.write(encoded(answered(message, self.link.secrets_of(message.call))))

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self.plan.ping_every)
            try:
                await self.link.ask("Ping", empty_pb2.Empty(), timeout=self.plan.hung_after)
            except DeadlineExceededError:
                _log.error(
                    "the process of connector %s has not come round for %g seconds and is ended; its stacks follow",
                    self.plan.name,
                    self.plan.hung_after,
                    extra=self.facts,
                )
                with suppress(ProcessLookupError):
                    self._process.send_signal(signal.SIGABRT)  # makes it show its stacks
            except ConnectorError:
                continue  # it has ended, which is noticed elsewhere

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            if self._process.returncode is None:
                self._process.kill()


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next line; empty when there is none, because the process closed its end or has ended."""
    try:
        return await reader.readline()
    except ConnectionError:
        return b""


def _log_level() -> int:
    return logging.getLogger().getEffectiveLevel()
