"""A network between two unix sockets that can be cut: connections break and none is made, or nothing comes through.

Run as `python -m tests.chaos.proxy HERE THERE`; told by lines on its standard input: cut, stall, heal. It says each of
them on its standard output once it is so.
"""

import asyncio
import sys

__all__: list[str] = []


class Network:
    """What connects HERE with THERE."""

    def __init__(self, there: str) -> None:
        self._there = there
        self._open: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self._flows = asyncio.Event()
        self._flows.set()

    def told(self, word: str) -> None:
        """Cut, stall or heal."""
        self._is_cut = word == "cut"
        if word == "stall":
            self._flows.clear()
        else:
            self._flows.set()
        if self._is_cut:
            for writer in self._open:
                writer.transport.abort()
        print(word, flush=True)

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        try:
            other_reader, other_writer = await asyncio.open_unix_connection(self._there)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, other_writer}
        await asyncio.gather(self._carry(reader, other_writer), self._carry(other_reader, writer))
        self._open -= {writer, other_writer}

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass  # the other direction ends, too
        finally:
            writer.close()


async def main(here: str, there: str) -> None:
    network = Network(there)
    server = await asyncio.start_unix_server(network.connect, here)
    asyncio.get_running_loop().add_reader(sys.stdin, lambda: network.told(sys.stdin.readline().strip()))
    print("up", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
