"""A wire between a client and a server that loses what it should carry."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

__all__ = ["Wire", "wire_to"]


class Wire:
    """Carries bytes both ways until it is told otherwise."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.port = 0
        self.loses_answers = False
        """What the server says is thrown away; the client never learns."""
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Break every connection that is open now."""
        for writer in self._open:
            writer.transport.abort()

    async def carry(self, client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._port)
        ends = {client_writer, server_writer}
        self._open |= ends
        try:
            await asyncio.gather(
                self._pump(client_reader, server_writer, is_answer=False),
                self._pump(server_reader, client_writer, is_answer=True),
            )
        finally:
            self._open -= ends

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if not (is_answer and self.loses_answers):
                    writer.write(data)
                    await writer.drain()
        writer.close()


@asynccontextmanager
async def wire_to(port: int) -> AsyncIterator[Wire]:
    """A wire to this port of the machine; its own port is `port`."""
    wire = Wire(port)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(wire.carry(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        wire.cut()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
