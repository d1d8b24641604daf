"""The jobs of a ledger in memory: what is told and changed about them beside their creation."""

import asyncio
import heapq
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from time import monotonic

from connectory.connector.creations import Asked
from connectory.connector.ledger.contract import Undo, check_key
from connectory.connector.ledger.records import OPEN, JobCount, JobQuery, JobRecord, JobState, Poll
from connectory.errors import AmbiguousError

__all__ = ["Entry", "MemoryJobs"]

_AT_ONCE = 2000
_log = logging.getLogger("connectory.connector.ledger")


class Care:
    """What became of a job after its create; most jobs of short lives never need it."""

    __slots__ = ("closed_for", "doomed", "ended", "gone", "held_until", "orphaned", "phase", "seen")

    def __init__(self) -> None:
        self.seen = 0.0
        """When it was last polled; 0: never."""
        self.phase = 0
        self.held_until = 0.0
        self.closed_for = ""
        """The category whose creates are refused because the key was doomed before it was used; empty: of all."""
        self.ended = self.doomed = self.gone = self.orphaned = False


class Entry:
    """What is remembered of one key. Times are those of the monotonic clock."""

    __slots__ = ("ambiguous", "asked", "began", "care", "flight", "handle", "lease", "waiting")

    def __init__(self, asked: Asked | None, lease: float) -> None:
        self.asked = asked
        """None: the key was doomed before anything was created under it."""
        self.lease = lease
        self.began = monotonic()
        self.care: Care | None = None
        self.flight: asyncio.Task[None] | None = None
        self.handle = b""
        self.ambiguous: AmbiguousError | None = None
        self.waiting: list[asyncio.Future[bytes]] = []

    def cared(self) -> Care:
        """Its care, made when it is first needed."""
        if self.care is None:
            self.care = Care()
        return self.care

    @property
    def is_doomed(self) -> bool:
        """Whether its deletion was asked for."""
        return self.care is not None and self.care.doomed

    def is_closed_for(self, category: str) -> bool:
        """Whether creates of this category are refused: the key was doomed before it was used."""
        return self.asked is None and self.care is not None and self.care.closed_for in ("", category)

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


class MemoryJobs:
    """The part of a ledger's contract that is about jobs, over the entries under way and the settled ones."""

    def __init__(self, under_way: Mapping[str, Entry], settled: "OrderedDict[str, Entry]") -> None:
        self._flying = under_way
        self._landed = settled
        self._keys: dict[bytes, str] = {}

    def _remember(self, key: str, entry: Entry) -> None:
        raise NotImplementedError

    async def doom(self, key: str, category: str = "") -> JobRecord:
        check_key(key)
        entry = self._entry(key)
        if entry is None:
            entry = Entry(None, 0.0)
            care = entry.cared()
            care.gone, care.closed_for = True, category
            self._remember(key, entry)
        entry.cared().doomed = True
        return _record(key, entry)

    async def doom_handle(self, handle: bytes) -> JobRecord | None:
        entry = self._entry(self._keys.get(handle, ""))
        if entry is None or _state(entry) not in OPEN:
            return None
        entry.cared().doomed = True
        return _record(self._keys[handle], entry)

    async def doom_lapsed(self, key: str) -> bool:
        entry = self._entry(key)
        if entry is None or not _has_lapsed(entry):
            return False
        entry.cared().doomed = True
        return True

    async def confirm(self, key: str, handle: bytes) -> None:
        entry = self._entry(key)
        if entry is not None and entry.handle == handle:
            care = entry.cared()
            care.doomed = care.gone = True

    async def decide(self, key: str, handle: bytes | None) -> bool:
        entry = self._landed.get(key)
        if entry is None or entry.ambiguous is None or entry.flight is not None:
            return False
        entry.ambiguous = None
        if handle is None and entry.is_doomed:
            entry.cared().gone = True
        elif handle is None:
            del self._landed[key]
        else:
            entry.handle = handle
            entry.began = monotonic()
            self._remember(key, entry)
        return True

    async def changed(self, key: str, timeout: float) -> None:
        flight = self._flying.get(key)
        if flight is not None and flight.flight is not None:
            await asyncio.wait([flight.flight], timeout=timeout)
        else:
            await asyncio.sleep(timeout)

    async def note(self, polls: Sequence[Poll]) -> None:
        now = monotonic()
        for handle, phase, ended, deleted, lease in polls:
            entry = self._entry(self._keys.get(handle, ""))
            if entry is None:
                continue
            care = entry.cared()
            care.seen, care.orphaned = now, False
            if deleted:
                care.doomed = care.gone = True
            else:
                care.phase, care.ended = phase, ended
                entry.lease = entry.lease if lease is None else lease

    async def job(self, key: str) -> JobRecord | None:
        entry = self._entry(key)
        return None if entry is None else _record(key, entry)

    async def jobs(self, query: JobQuery) -> Sequence[JobRecord]:
        fitting = [record async for record in self._records(query.after) if _fits(record, query)]
        return heapq.nsmallest(query.limit, fitting, key=lambda record: record.key)

    async def count(self) -> JobCount:
        live: dict[str, int] = {}
        orphans: dict[str, int] = {}
        async for _, entry in self._all():
            if _state(entry) in OPEN:
                category = _category(entry)
                live[category] = live.get(category, 0) + 1
                orphans[category] = orphans.get(category, 0) + _is_orphan(entry)
        return JobCount(live=live, orphans={category: number for category, number in orphans.items() if number})

    async def due(self, categories: Collection[str], *, up_for: float, limit: int) -> Sequence[JobRecord]:
        found: list[JobRecord] = []
        async for key, entry in self._all():
            if len(found) < limit and _is_due(entry, up_for) and _category(entry) in categories:
                entry.cared().held_until = monotonic() + 60
                found.append(_record(key, entry))
        return found

    async def put_off(self, key: str, seconds: float) -> bool:
        entry = self._entry(key)
        if entry is None:
            return False
        care = entry.cared()
        is_first, care.orphaned = not care.orphaned, True
        care.held_until = monotonic() + seconds
        return is_first

    def _entry(self, key: str) -> Entry | None:
        return self._flying.get(key) or self._landed.get(key)

    async def _undone(self, entry: Entry, undo: Undo) -> None:
        try:
            await undo(entry.handle)
        except Exception as error:
            _log.error("a job that is not wanted any more is not deleted yet: %s", error)
        else:
            entry.cared().gone = True

    async def _all(self) -> AsyncIterator[tuple[str, Entry]]:
        for number, (key, entry) in enumerate([*self._flying.items(), *self._landed.items()]):
            if number % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
            if entry.flight is None or key in self._flying:
                yield key, entry

    async def _records(self, after: str) -> AsyncIterator[JobRecord]:
        async for key, entry in self._all():
            if key > after:
                yield _record(key, entry)


def _state(entry: Entry) -> JobState:
    care = entry.care
    if care is not None and care.gone:
        return JobState.DELETED
    if care is not None and care.doomed:
        return JobState.DELETING
    if entry.flight is not None:
        return JobState.CREATING
    if entry.ambiguous is not None:
        return JobState.AMBIGUOUS
    return JobState.ENDED if care is not None and care.ended else JobState.LIVE


def _lease_until(entry: Entry) -> float | None:
    if not entry.lease or not entry.handle:
        return None
    return max(entry.began, entry.care.seen if entry.care is not None else 0.0) + entry.lease


def _has_lapsed(entry: Entry) -> bool:
    until = _lease_until(entry)
    return until is not None and until < monotonic() and _state(entry) is JobState.LIVE


def _is_orphan(entry: Entry) -> bool:
    return entry.ambiguous is not None or _has_lapsed(entry)


def _is_due(entry: Entry, up_for: float) -> bool:
    if entry.care is not None and entry.care.held_until > monotonic():
        return False
    if entry.ambiguous is not None:
        return entry.flight is None and bool(entry.asked and entry.asked.without_secrets())
    if entry.flight is not None:
        return False
    return _state(entry) is JobState.DELETING or (entry.lease <= up_for and _has_lapsed(entry))


def _category(entry: Entry) -> str:
    if entry.asked is not None:
        return entry.asked.category
    return entry.care.closed_for if entry.care is not None else ""


def _record(key: str, entry: Entry) -> JobRecord:
    care, epoch = entry.care or _NOTHING, time.time() - monotonic()
    until = _lease_until(entry)
    return JobRecord(
        key=key,
        category=_category(entry),
        state=_state(entry),
        execution=entry.asked.execution if entry.asked is not None else "",
        handle=entry.handle,
        phase=care.phase,
        reason=entry.ambiguous.message if entry.ambiguous is not None else "",
        created_at=epoch + entry.began,
        seen_at=epoch + care.seen if care.seen else None,
        lease_until=None if until is None else epoch + until,
        is_orphan=_is_orphan(entry),
        request=entry.asked.without_secrets() if entry.asked is not None and entry.ambiguous is not None else b"",
    )


def _fits(record: JobRecord, query: JobQuery) -> bool:
    return (
        record.state in query.states
        and query.category in ("", record.category, record.category.partition("@")[0])
        and record.execution.startswith(query.execution)
        and (record.is_orphan or not query.orphans_only)
    )


_NOTHING = Care()
