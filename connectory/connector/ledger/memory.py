"""A ledger within this process: single flight, and a bounded memory of what was created."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from connectory.connector.creations import Creation
from connectory.connector.ledger.contract import Create, Find, already_exists, retrieve
from connectory.errors import AmbiguousError

__all__ = ["MemoryLedger"]

REMEMBERED: Final = 100_000


class _Entry:
    __slots__ = ("ambiguous", "digests", "flight", "handle")

    def __init__(self, digests: Mapping[str, str]) -> None:
        self.digests = digests
        self.flight: asyncio.Task[bytes] | None = None
        self.handle = b""
        self.ambiguous: AmbiguousError | None = None


class MemoryLedger:
    """Creates happen once as long as the process lives and the key is among the `remembered` latest ones.

    Creates under way are never forgotten.
    """

    def __init__(self, *, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._under_way: dict[str, _Entry] = {}
        self._settled: OrderedDict[str, _Entry] = OrderedDict()

    async def once(self, creation: Creation, create: Create, find: Find | None = None) -> bytes:
        key = creation.key
        entry = self._under_way.get(key) or self._settled.get(key)
        if entry is None:
            return await asyncio.shield(self._begin(key, _Entry(creation.digests), create, None))
        if (error := already_exists(creation, entry.digests)) is not None:
            raise error
        if entry.flight is not None:
            return await asyncio.shield(entry.flight)
        self._settled.move_to_end(key)
        if entry.ambiguous is None:
            return entry.handle
        if find is None:
            raise entry.ambiguous
        return await asyncio.shield(self._begin(key, entry, create, find))

    def _begin(self, key: str, entry: _Entry, create: Create, find: Find | None) -> asyncio.Task[bytes]:
        self._under_way[key] = entry
        entry.flight = asyncio.create_task(self._settle(key, entry, create, find))
        entry.flight.add_done_callback(retrieve)
        return entry.flight

    async def _settle(self, key: str, entry: _Entry, create: Create, find: Find | None) -> bytes:
        try:
            found = None if find is None else await find()
            if found is None:
                self._settled.pop(key, None)
                found = await create()
        except AmbiguousError as error:
            entry.ambiguous = error
            self._remember(key, entry)
            raise
        else:
            entry.handle, entry.ambiguous = found, None
            self._remember(key, entry)
            return found
        finally:
            entry.flight = None
            del self._under_way[key]

    def _remember(self, key: str, entry: _Entry) -> None:
        self._settled[key] = entry
        while len(self._settled) > self._remembered:
            self._settled.popitem(last=False)

    async def aclose(self) -> None:
        while self._under_way:
            await asyncio.wait([entry.flight for entry in self._under_way.values() if entry.flight is not None])
