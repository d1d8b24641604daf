"""How a worker hears its supervisor, and what it does about it."""

import asyncio
import os
import socket
import sys
from contextlib import suppress
from typing import Self

import msgspec

from connector_server.links import LONGEST, Asked, Instruction
from connector_server.reloading.outcome import Reloaded
from connector_server.reloading.reloads import Reloads
from connector_server.settings import ServerSettings
from connectory.errors import SettingsError, UnavailableError

__all__ = ["SupervisorLink", "first_line"]


class SupervisorLink:
    """The worker's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._number = 0
        self._waiting: dict[int, asyncio.Future[Reloaded]] = {}
        self._is_over = False
        self._reloads: asyncio.Future[Reloads] = asyncio.get_running_loop().create_future()

    @classmethod
    async def opened(cls) -> Self:
        """Begin, after the first line was read."""
        connection = socket.socket(fileno=os.dup(sys.stdin.fileno()))
        return cls(*await asyncio.open_connection(sock=connection, limit=LONGEST))

    def serving(self, reloads: Reloads) -> None:
        """From now on instructions are followed."""
        reloads.ask = self.ask
        self._reloads.set_result(reloads)

    async def listen(self) -> None:
        """Follow instructions; returns when the supervisor is gone."""
        try:
            with suppress(ConnectionError):
                while line := await self._reader.readline():
                    instruction = msgspec.json.decode(line, type=Instruction)
                    reloaded = await _followed(instruction, await self._reloads)
                    for number in [number for number in self._waiting if number <= instruction.answers]:
                        _answer(self._waiting.pop(number), reloaded)
        finally:
            self._is_over = True
            for waiting in self._waiting.values():
                _answer(waiting, _gone())

    async def ask(self) -> Reloaded:
        """Have all workers reload, and answer what became of it here. Without a supervisor: an `UnavailableError`."""
        if self._is_over:
            raise _gone()
        self._number += 1
        outcome: asyncio.Future[Reloaded] = asyncio.get_running_loop().create_future()
        self._waiting[self._number] = outcome
        self._writer.write(msgspec.json.encode(Asked(self._number)) + b"\n")
        return await outcome


def _answer(waiting: "asyncio.Future[Reloaded]", answer: Reloaded | UnavailableError) -> None:
    if waiting.done():  # whoever asked waits no more
        return
    if isinstance(answer, UnavailableError):
        waiting.set_exception(answer)
    else:
        waiting.set_result(answer)


def _gone() -> UnavailableError:
    return UnavailableError("the server stops, because its supervisor is gone", reason="DRAINING")


async def _followed(instruction: Instruction, reloads: Reloads) -> Reloaded:
    if instruction.settings is None:
        return reloads.refuse(instruction.refusal)
    try:
        settings = ServerSettings.exactly(instruction.settings)
    except SettingsError as error:
        return reloads.refuse(str(error))
    return await reloads.apply(
        settings,
        modules=instruction.modules,
        after_restart=instruction.after_restart,
        others=instruction.others,
    )


def first_line() -> bytes:
    """The first line of standard input and not a byte more, so that the rest can be read as it comes."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(sys.stdin.fileno(), 1)):
        line += byte
    return line
