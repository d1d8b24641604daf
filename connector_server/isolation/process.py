"""One child: started, listened to, watched and ended by the server."""

import asyncio
import logging
import os
import shutil
import signal
import socket
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Final

import msgspec
from google.protobuf import empty_pb2

from connector_server.isolation.environment import child_environment
from connector_server.isolation.link import Link
from connector_server.isolation.messages import (
    LONGEST_LINE,
    PROTOCOL,
    Assignment,
    FromChild,
    Logged,
    Ready,
    Refused,
    SecretWanted,
    Source,
    encoded,
    release,
)
from connector_server.isolation.records import relog
from connector_server.isolation.secrets import answered
from connector_server.settings.isolation import Apart
from connectory.errors import ConnectorError, ConnectoryError, DeadlineExceededError

__all__ = ["Child", "ChildError", "Plan", "start_child"]

_PROGRAM: Final = "connector_server.isolation.child"
_HEAD: Final = 3
_TAIL: Final = 8
_LONGEST_TEXT: Final = 64 * 1024
_LONGEST_FOLDER: Final = 70
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

    def __init__(self, plan: Plan, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.plan = plan
        self.link = Link(str(folder / "calls"))
        self.ready: Ready | None = None
        self._process = process
        self._folder = folder
        self._facts = {"connector_process": plan.name, "pid": process.pid}
        self._head: list[str] = []
        self._tail: deque[str] = deque(maxlen=_TAIL)
        self._output = asyncio.create_task(self._log_output())
        self._pinging: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

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
            raise ChildError(f"{await self.ended()} before it was ready{self._said()}")
        self.ready = first
        self._reading = asyncio.create_task(self._listen(reader))
        self._pinging = asyncio.create_task(self._ping())
        return first

    async def ended(self) -> str:
        """Wait for its end; answers how it ended, as the end of a sentence."""
        code = await self._process.wait()
        listening = {task for task in (self._output, self._reading) if task is not None}
        await asyncio.wait(listening, timeout=_LAST_WORDS)  # a process that it started may keep the output open
        return f"it was killed by {signal.Signals(-code).name}" if code < 0 else f"it ended with exit code {code}"

    async def aclose(self) -> None:
        """End it: let its connectors close, and kill it when that takes too long."""
        if self._writer is not None:
            with suppress(OSError, RuntimeError):  # the loop's word for a connection that is closed already
                self._writer.write_eof()
        if self.ready is None:
            self._kill()
        try:
            async with asyncio.timeout(self.plan.patience + _BEYOND_PATIENCE):
                await self.ended()
        except TimeoutError:
            _log.error("the process of connector %s did not end and is killed", self.plan.name, extra=self._facts)
            self._kill()
            await self._process.wait()
        finally:
            self._kill()
            for task in (self._output, self._reading, self._pinging):
                if task is not None:
                    task.cancel()
            if self._writer is not None:
                self._writer.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            await self.link.aclose()

    def _assignment(self) -> Assignment:
        return Assignment(
            protocol=PROTOCOL,
            release=release(),
            source=self.plan.source,
            socket=str(self._folder / "calls"),
            log_level=logging.getLogger().getEffectiveLevel(),
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
                _log.error("a message of a connector's process cannot be read: %s", error, extra=self._facts)

    def _hear(self, message: FromChild) -> None:
        if isinstance(message, Logged):
            relog(message, self._facts)
        elif isinstance(message, SecretWanted) and self._writer is not None:
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
                    extra=self._facts,
                )
                with suppress(ProcessLookupError):
                    self._process.send_signal(signal.SIGABRT)  # makes it show its stacks
            except ConnectorError:
                continue  # it has ended, which is noticed elsewhere

    async def _log_output(self) -> None:
        assert self._process.stdout is not None
        async for line in _lines(self._process.stdout):
            (self._head if len(self._head) < _HEAD else self._tail).append(line)
            _log.warning("%s", line, extra=self._facts)

    def _said(self) -> str:
        """The beginning and the end of what it has written, where the reason is."""
        said = [line for line in (*self._head, *self._tail) if line.strip()]
        return ": " + " | ".join(said) if said else ""

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            if self._process.returncode is None:
                self._process.kill()


async def start_child(plan: Plan) -> Child:
    """A child that answers calls. A `ChildError` says why there is none; nothing is left of it then."""
    try:
        folder = _private_folder()
        ours, theirs = socket.socketpair()
    except OSError as error:
        raise ChildError(f"nothing can be started: {error}") from None
    try:
        with theirs:
            process = await _started(plan, theirs)
    except BaseException:
        ours.close()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    child = Child(plan, process, folder)
    try:
        async with asyncio.timeout(plan.start_within):
            await child.begin(ours)
    except BaseException as error:
        await asyncio.shield(child.aclose())
        if isinstance(error, TimeoutError):
            raise ChildError(f"it was not ready within {plan.start_within:g} seconds") from None
        if isinstance(error, msgspec.DecodeError | ValueError):
            raise ChildError(f"it does not speak as a connector's process does ({error})") from None
        raise
    return child


def _private_folder() -> Path:
    """A new folder for this user only, with a path that is short enough for a socket in it."""
    usual = gettempdir()
    return Path(mkdtemp(prefix="connectory-apart-", dir=usual if len(usual) <= _LONGEST_FOLDER else "/tmp"))


async def _started(plan: Plan, stdin: socket.socket) -> asyncio.subprocess.Process:
    python = plan.apart.python or sys.executable
    try:
        return await asyncio.create_subprocess_exec(
            python,
            "-m",
            _PROGRAM,
            stdin=stdin.fileno(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=child_environment(plan.apart, os.environ),
            start_new_session=True,
        )
    except OSError as error:
        raise ChildError(f"{python} cannot be run: {error.strerror}") from None


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next line; empty when there is none, because the process closed its end or has ended."""
    try:
        return await reader.readline()
    except ConnectionError:
        return b""


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[str]:
    """The lines of what a process writes, however long."""
    rest = b""
    while data := await reader.read(_LONGEST_TEXT):
        *lines, rest = (rest + data).split(b"\n")
        if len(rest) > _LONGEST_TEXT:
            lines, rest = [*lines, rest], b""
        for line in lines:
            yield line.decode(errors="replace").rstrip("\r")
    if rest:
        yield rest.decode(errors="replace")
