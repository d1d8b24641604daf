"""A ledger within this process: single flight, and a bounded memory of what was created."""

import asyncio
from collections import OrderedDict
from contextlib import suppress
from typing import Final

from connectory.connector.creations import Creation
from connectory.connector.ledger.contract import (
    LONGEST_KEY,
    Create,
    Find,
    Undo,
    already_exists,
    check_key,
    deleted_before,
)
from connectory.connector.ledger.memory_jobs import Entry, MemoryJobs
from connectory.connector.ledger.records import JobRecord
from connectory.errors import AmbiguousError

__all__ = ["MemoryLedger"]

REMEMBERED: Final = 100_000


class _NothingFoundError(Exception):
    """There is no job of an ambiguous key."""


class MemoryLedger(MemoryJobs):
    """Creates happen once as long as the process lives and the key is among the `remembered` latest ones.

    Creates under way are never forgotten.
    """

    def __init__(self, *, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._under_way: dict[str, Entry] = {}
        self._settled: OrderedDict[str, Entry] = OrderedDict()
        super().__init__(self._under_way, self._settled)

    async def once(
        self, creation: Creation, create: Create, find: Find | None = None, undo: Undo | None = None
    ) -> bytes:
        key = creation.key
        entry = self._under_way.get(key) or self._settled.get(key)
        if len(key) > LONGEST_KEY:
            check_key(key)
        if entry is None:  # the common case, with everything that it needs in one place
            loop = asyncio.get_running_loop()
            entry = self._under_way[key] = Entry(creation.asked, creation.lease)
            waiter: asyncio.Future[bytes] = loop.create_future()
            entry.waiting.append(waiter)
            entry.flight = loop.create_task(self._settle(key, entry, create, None, undo))
            return await waiter
        if entry.asked is None:
            if entry.is_closed_for(creation.asked.category):
                raise deleted_before(key)
            del self._settled[key]
            return await self.once(creation, create, find, undo)
        if (error := already_exists(creation, entry.asked.digests)) is not None:
            raise error
        if entry.flight is not None:
            return await entry.outcome()
        self._settled.move_to_end(key)
        if entry.ambiguous is None:
            if not entry.handle:
                raise deleted_before(key)
            return entry.handle
        if find is None or entry.is_doomed:
            raise entry.ambiguous
        return await self._begin(key, entry, create, find, undo).outcome()

    async def identity(self) -> str:
        return ""

    async def resolve(self, record: JobRecord, find: Find | None) -> None:
        entry = self._settled.get(record.key)
        if entry is None or entry.ambiguous is None or entry.flight is not None or find is None:
            return

        async def nothing() -> bytes:
            raise _NothingFoundError

        with suppress(_NothingFoundError, AmbiguousError):
            await self._begin(record.key, entry, nothing, find, None).outcome()

    def _begin(self, key: str, entry: Entry, create: Create, find: Find | None, undo: Undo | None) -> Entry:
        self._under_way[key] = entry
        entry.flight = asyncio.create_task(self._settle(key, entry, create, find, undo))
        return entry

    async def _settle(self, key: str, entry: Entry, create: Create, find: Find | None, undo: Undo | None) -> None:
        error: BaseException | None = None
        try:
            found = None if find is None else await find()
            if found is None:
                self._settled.pop(key, None)
                entry.ambiguous = None
                found = await create()
            entry.handle, entry.ambiguous = found, None
            self._remember(key, entry)
            if entry.care is not None and entry.is_doomed and undo is not None:
                await self._undone(entry, undo)
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
            if error is not None and entry.is_doomed and entry.ambiguous is None:
                entry.cared().gone = True
                self._remember(key, entry)
            entry.tell(entry.handle, error)

    def _remember(self, key: str, entry: Entry) -> None:
        self._settled[key] = entry
        if entry.handle:
            self._keys[entry.handle] = key
        while len(self._settled) > self._remembered:
            _, forgotten = self._settled.popitem(last=False)
            self._keys.pop(forgotten.handle, None)

    async def aclose(self) -> None:
        while self._under_way:
            await asyncio.wait([entry.flight for entry in self._under_way.values() if entry.flight is not None])
