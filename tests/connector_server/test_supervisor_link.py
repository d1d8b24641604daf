"""A worker's end of what it and its supervisor tell each other."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from connector_server.reloading.outcome import Reloaded
from connector_server.supervisor_link import SupervisorLink
from connectory.errors import UnavailableError


class Worker:
    """Reloads as it is told."""

    def __init__(self) -> None:
        self.ask: Any = None
        self.refused: list[str] = []

    def refuse(self, reason: str) -> Reloaded:
        self.refused.append(reason)
        return Reloaded(refusal=reason)


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[SupervisorLink, Any, asyncio.StreamReader, asyncio.StreamWriter]]:
    ours, theirs = socket.socketpair()
    worker: Any = Worker()
    reader, writer = await asyncio.open_connection(sock=ours)
    link = SupervisorLink(reader, writer)
    link.serving(worker)
    from_worker, supervisor = await asyncio.open_connection(sock=theirs)
    try:
        yield link, worker, from_worker, supervisor
    finally:
        for end in (writer, supervisor):
            end.close()
            await end.wait_closed()


async def test_who_waits_for_a_reload_hears_of_the_end_of_the_supervisor() -> None:
    async with opened() as (link, worker, reader, supervisor):
        listening, asking = asyncio.create_task(link.listen()), asyncio.create_task(worker.ask())
        assert json.loads(await reader.readline()) == {"number": 1}
        supervisor.close()
        async with asyncio.timeout(20):
            await listening
            with pytest.raises(UnavailableError, match="the server stops"):
                await asking
            with pytest.raises(UnavailableError, match="the server stops"):
                await worker.ask()


async def test_who_waits_no_more_for_a_reload_keeps_nobody_from_the_next() -> None:
    async with opened() as (link, worker, reader, supervisor):
        listening, asking = asyncio.create_task(link.listen()), asyncio.create_task(worker.ask())
        await reader.readline()
        asking.cancel()
        await asyncio.wait([asking])
        again = asyncio.create_task(worker.ask())
        await reader.readline()
        supervisor.write(b'{"refusal": "first", "answers": 1}\n{"refusal": "second", "answers": 2}\n')
        async with asyncio.timeout(20):
            assert (await again).refusal == "second"
        assert worker.refused == ["first", "second"]
        supervisor.close()
        await listening
