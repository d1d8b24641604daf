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
from connectory.errors import SettingsError

__all__ = ["SupervisorLink", "first_line"]


class SupervisorLink:
    """The worker's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._number = 0
        self._waiting: dict[int, asyncio.Future[Reloaded]] = {}
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
        with suppress(ConnectionError):
            while line := await self._reader.readline():
                instruction = msgspec.json.decode(line, type=Instruction)
                reloaded = await _followed(instruction, await self._reloads)
                for number in [number for number in self._waiting if number <= instruction.answers]:
                    self._waiting.pop(number).set_result(reloaded)

    async def ask(self) -> Reloaded:
        """Have all workers reload, and answer what became of it here."""
        self._number += 1
        outcome: asyncio.Future[Reloaded] = asyncio.get_running_loop().create_future()
        self._waiting[self._number] = outcome
        self._writer.write(msgspec.json.encode(Asked(self._number)) + b"\n")
        return await outcome


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
