"""A ledger within this process: single flight, and a bounded memory of what was created."""

import asyncio
from collections import OrderedDict
from typing import Final

from connectory.connector.creations import Asked, Creation
from connectory.connector.ledger.contract import Create, Find, already_exists
from connectory.errors import AmbiguousError

__all__ = ["MemoryLedger"]

REMEMBERED: Final = 100_000


class _Entry:
    __slots__ = ("ambiguous", "asked", "flight", "handle", "waiting")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.flight: asyncio.Task[None] | None = None
        self.handle = b""
        self.ambiguous: AmbiguousError | None = None
        self.waiting: list[asyncio.Future[bytes]] = []

    async def outcome(self) -> bytes:
        """What the flight ends with. A caller that goes away takes nothing but itself."""
        waiter = asyncio.get_running_loop().create_future()
        self.waiting.append(waiter)
        handle: bytes = await waiter
        return handle

    def tell(self, handle: bytes, error: BaseException | None) -> None:
        """End the flight: every caller that is still there gets the handle or the error."""
        waiting, self.waiting = self.waiting, []
        for waiter in waiting:
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(handle)
            else:
                waiter.set_exception(error)
                waiter.exception()  # taken note of, in case its caller goes away right now


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
            return await self._begin(key, _Entry(creation.asked), create, None).outcome()
        if (error := already_exists(creation, entry.asked.digests)) is not None:
            raise error
        if entry.flight is not None:
            return await entry.outcome()
        self._settled.move_to_end(key)
        if entry.ambiguous is None:
            return entry.handle
        if find is None:
            raise entry.ambiguous
        return await self._begin(key, entry, create, find).outcome()

    def _begin(self, key: str, entry: _Entry, create: Create, find: Find | None) -> _Entry:
        self._under_way[key] = entry
        entry.flight = asyncio.create_task(self._settle(key, entry, create, find))
        return entry

    async def _settle(self, key: str, entry: _Entry, create: Create, find: Find | None) -> None:
        error: BaseException | None = None
        try:
            found = None if find is None else await find()
            if found is None:
                self._settled.pop(key, None)
                found = await create()
            entry.handle, entry.ambiguous = found, None
            self._remember(key, entry)
        except AmbiguousError as ambiguous:
            error = entry.ambiguous = ambiguous
            self._remember(key, entry)
        except Exception as failure:
            error = failure
        except BaseException as ended:
            error = ended
            raise
        finally:
            entry.flight = None
            del self._under_way[key]
            entry.tell(entry.handle, error)

    def _remember(self, key: str, entry: _Entry) -> None:
        self._settled[key] = entry
        while len(self._settled) > self._remembered:
            self._settled.popitem(last=False)

    async def aclose(self) -> None:
        while self._under_way:
            await asyncio.wait([entry.flight for entry in self._under_way.values() if entry.flight is not None])
