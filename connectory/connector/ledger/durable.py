"""What every durable ledger does, whichever database it writes to: flights in this process over rows that all share."""

import asyncio
import logging
from collections.abc import Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any, Final

import msgspec

from connectory.connector.creations import Creation, facts_of
from connectory.connector.ledger import statements
from connectory.connector.ledger.contract import (
    Create,
    Find,
    Undo,
    already_exists,
    check_key,
    deleted_before,
    retrieve,
    unknown_outcome,
)
from connectory.connector.ledger.job_rows import JobRows, job_of
from connectory.connector.ledger.records import JobRecord
from connectory.connector.ledger.sql import ASK_AGAIN, Begun, Created, Refused, Sql, WriteError
from connectory.errors import AmbiguousError, UnavailableError

__all__ = ["DurableLedger"]

PATIENCE: Final = 3.0
"""How many seconds a caller waits until its outcome is stored, before it gets the outcome all the same."""
_FIRST_DELAY, _LONGEST_DELAY = 0.005, 0.25
_PRUNE_EVERY: Final = 60.0
_encoder: Final = msgspec.json.Encoder()
_log = logging.getLogger("connectory.connector.ledger")


@dataclass(frozen=True, slots=True)
class _Claim:
    """What is stored under a key, and whether it is for this process to settle it."""

    state: str
    handle: bytes
    reason: str
    mine: bool
    is_new: bool
    doomed: bool = False


class _Flight:
    """A create that this process has under way, until its outcome is stored."""

    __slots__ = ("digests", "holds_key", "outcome", "told")

    def __init__(self, digests: Mapping[str, str], work: Coroutine[Any, Any, bytes]) -> None:
        self.digests = digests
        self.holds_key = False
        """Whether the key is known to stand for this content, and not for what another process makes of it."""
        self.told = asyncio.Event()
        """Set once that is known, or the create has ended."""
        self.outcome = asyncio.create_task(work)
        self.outcome.add_done_callback(retrieve)
        self.outcome.add_done_callback(lambda _: self.told.set())


class DurableLedger(JobRows):
    """Creates by key in a database that several processes share.

    A key belongs to the process that wrote its intent, and the others wait for its outcome. When that process is gone,
    the next caller takes the key over and settles it by `find`.

    An outcome that cannot be stored (the disk is full) is told to the callers after `patience` seconds, because they
    can keep the job's handle; storing it is tried again until the ledger is closed, and meanwhile this process answers
    for the key from memory. Outcomes are forgotten after `keep`, unless their jobs may still exist.
    """

    def __init__(self, sql: Sql, *, keep: timedelta, patience: float) -> None:
        super().__init__(sql)
        self._patience = patience
        self._keep = keep
        self._prune_at = 0.0
        self._flights: dict[str, _Flight] = {}
        self._storing: dict[str, asyncio.Task[bool]] = {}
        self._resolving: set[str] = set()
        self._closing = False
        self._identity = ""

    async def identity(self) -> str:
        if not self._identity:
            row = await self._sql.first(statements.IDENTITY)
            self._identity = str(row[0]) if row is not None else ""
        return self._identity

    async def once(
        self, creation: Creation, create: Create, find: Find | None = None, undo: Undo | None = None
    ) -> bytes:
        key = creation.key
        while (flight := self._flights.get(key)) is not None:
            error = already_exists(creation, flight.digests)
            if error is None:
                return await asyncio.shield(flight.outcome)
            if flight.holds_key:
                raise error
            await flight.told.wait()
            await asyncio.sleep(0)  # one that has ended is forgotten in the meantime
        check_key(key)
        flight = self._flights[key] = _Flight(creation.digests, self._settled(creation, create, find, undo))
        flight.outcome.add_done_callback(lambda _: self._landed(key))
        return await asyncio.shield(flight.outcome)

    async def resolve(self, record: JobRecord, find: Find | None) -> None:
        key = record.key
        if key in self._resolving or self._in_flight(key):
            return
        self._resolving.add(key)
        try:
            await self._resolved(key, find)
        finally:
            self._resolving.discard(key)

    async def _resolved(self, key: str, find: Find | None) -> None:
        row = await self._read(key)
        if row is None or row[1] not in ("intended", "ambiguous") or (row[1] == "ambiguous" and find is None):
            return
        if not await self._may_take(row[1], row[2], find) or not await self._taken_over(
            key, holder=row[2], state=row[1]
        ):
            return
        try:
            found = await self._found(key, find)
        except AmbiguousError:
            return
        if found is None:
            await self._store_end(key)
        else:
            await self._store(key, state="created", handle=found)

    def _in_flight(self, key: str) -> bool:
        return key in self._flights

    async def aclose(self) -> None:
        self._closing = True
        while outcomes := [flight.outcome for flight in self._flights.values() if not flight.outcome.done()]:
            await asyncio.wait(outcomes)
        if self._storing:
            _, given_up = await asyncio.wait(self._storing.values(), timeout=self._patience)
            for task in given_up:
                task.cancel()
        await self._sql.aclose()

    def _landed(self, key: str) -> None:
        if key not in self._storing:
            self._flights.pop(key, None)

    async def _settled(self, creation: Creation, create: Create, find: Find | None, undo: Undo | None) -> bytes:
        key = creation.key
        try:
            claim = await self._claimed(creation, find)
        except WriteError as error:
            if error.may_have_happened:
                await self._store_end(key)
            raise WriteError(f"{error.message}; nothing was created", retry_after=ASK_AGAIN) from error
        flight = self._flights[key]
        flight.holds_key = True
        flight.told.set()
        if not claim.mine:
            if claim.state == "ambiguous":
                raise AmbiguousError(claim.reason)
            if not claim.handle:
                raise deleted_before(key)
            return claim.handle
        found = None if claim.is_new else await self._found(key, find)
        if found is None and claim.doomed:
            await self._store_end(key)
            raise deleted_before(key)
        handle = await self._created(key, create) if found is None else found
        if await self._handle_stored(key, handle):
            return handle
        return await self._late(key, handle, undo)

    async def _claimed(self, creation: Creation, find: Find | None) -> _Claim:
        """The key's row, once it is settled or is for this process to settle."""
        key, delay = creation.key, _FIRST_DELAY
        if monotonic() > self._prune_at:
            await self._prune()
        if await self._intended(creation):
            return _Claim("intended", b"", "", mine=True, is_new=True)
        while True:
            row = await self._read(key)
            if row is None:
                if await self._intended(creation):
                    return _Claim("intended", b"", "", mine=True, is_new=True)
                continue
            digests, state, holder, handle, reason, delete_since, category = row
            if state == "deleted" and not handle and category not in ("", facts_of(creation.request)[0]):
                await self._sql.run(statements.REOPEN, key=key, category=category)
                continue
            doomed = delete_since is not None
            if doomed and state != "intended":
                return _Claim(state, handle or b"", reason or "", mine=False, is_new=False)
            if (error := already_exists(creation, msgspec.json.decode(digests))) is not None:
                raise error
            if state == "created":
                return _Claim(state, handle, "", mine=False, is_new=False)
            if await self._may_take(state, holder, find) and await self._taken_over(key, holder=holder, state=state):
                return _Claim("intended", b"", "", mine=True, is_new=False, doomed=doomed)
            if state == "ambiguous" and find is None:
                return _Claim(state, b"", reason or "", mine=False, is_new=False)
            if self._closing:
                raise UnavailableError(f"the ledger {self._sql.name} is being closed; ask again", reason="LEDGER")
            await self.changed(key, delay)
            delay = min(delay * 2, _LONGEST_DELAY)

    async def _may_take(self, state: str, holder: str, find: Find | None) -> bool:
        if state == "ambiguous":
            return find is not None
        return holder == await self._sql.owner() or not await self._sql.is_alive(holder)

    async def _intended(self, creation: Creation) -> bool:
        category, execution = facts_of(creation.request)
        await self._sql.owner()
        begun = Begun(
            key=creation.key,
            digests=_encoder.encode(creation.digests).decode(),
            category=category.replace("\0", ""),
            execution=execution.replace("\0", ""),
            request=creation.asked.without_secrets(creation.request),
            lease=creation.lease or None,
        )
        return await self._sql.write(begun)

    async def _read(self, key: str) -> Sequence[Any] | None:
        return await self._sql.first(statements.READ, key=key)

    async def _taken_over(self, key: str, *, holder: str, state: str) -> bool:
        owner = await self._sql.owner()
        return await self._sql.first(statements.TAKE_OVER, key=key, owner=owner, holder=holder, state=state) is not None

    async def _prune(self) -> None:
        self._prune_at = monotonic() + _PRUNE_EVERY
        await self._sql.run(statements.PRUNE, keep=self._keep.total_seconds())

    async def _found(self, key: str, find: Find | None) -> bytes | None:
        if find is not None:
            return await find()
        error = unknown_outcome(
            key, "the process that was creating it ended before it could tell, and the connector cannot look for it"
        )
        await self._store(key, state="ambiguous", reason=error.message)
        raise error

    async def _created(self, key: str, create: Create) -> bytes:
        try:
            await self._sql.keep_alive()
            return await create()
        except AmbiguousError as error:
            await self._store(key, state="ambiguous", reason=error.message)
            raise
        except Exception:
            await self._store_end(key)
            raise

    async def _late(self, key: str, handle: bytes, undo: Undo | None) -> bytes:
        """The job is there, but its key was doomed meanwhile, or is another process's by now."""
        row = await self._read(key)
        if row is not None and row[3] == handle and row[5] is None:
            return handle
        try:
            if undo is not None:
                await undo(handle)
                await self.confirm(key, handle)
        except Exception as error:
            _log.error("ledger %s: the job of key %r is not deleted yet: %s", self._sql.name, key, error)
        row = await self._read(key)
        if row is None or (row[5] is None and not row[3]):
            raise UnavailableError(f"the create of key {key!r} took so long that it was given up; ask again")
        return row[3] or handle

    async def _written(self, write: Created | Refused) -> tuple[bool, float]:
        """The usual way, in which nobody waits, the job is wanted and the database works.

        Whether it was that, and how much patience is left if it was not.
        """
        try:
            async with asyncio.timeout(self._patience):
                return await self._sql.write(write), self._patience
        except TimeoutError:
            return False, 0.0
        except WriteError as error:
            _log.error("ledger %s: the outcome of key %r is not stored yet: %s", self._sql.name, write.key, error)
            return False, self._patience

    async def _handle_stored(self, key: str, handle: bytes) -> bool:
        """See `_store`."""
        is_stored, patience = await self._written(Created(key, handle, job_of(handle)))
        if is_stored:
            return True
        values = {"state": "created", "handle": handle, "reason": None, "job": job_of(handle)}
        return await self._patiently(key, self._keep_storing(key, (statements.SETTLE,), values), patience)

    async def _store(self, key: str, *, state: str, handle: bytes | None = None, reason: str | None = None) -> bool:
        """Store an outcome, and wait for that as long as it is reasonable to let a caller wait.

        False: it is stored but the job is not wanted, or the key belongs to another process.
        """
        values = {"state": state, "handle": handle, "reason": reason, "job": job_of(handle)}
        return await self._patiently(key, self._keep_storing(key, (statements.SETTLE,), values))

    async def _store_end(self, key: str) -> None:
        """Forget the key, or close it when it was doomed: there is no job."""
        is_forgotten, patience = await self._written(Refused(key))
        if not is_forgotten:
            await self._patiently(key, self._keep_storing(key, (statements.FORGET, statements.BURY), {}), patience)

    async def _patiently(self, key: str, storing: Coroutine[Any, Any, bool], patience: float | None = None) -> bool:
        task = asyncio.create_task(storing, name=key)
        self._storing[key] = task
        done, _ = await asyncio.wait({task}, timeout=self._patience if patience is None else patience)
        if done:
            del self._storing[key]
            return task.result()
        task.add_done_callback(self._stored_late)
        return True

    def _stored_late(self, task: asyncio.Task[bool]) -> None:
        self._storing.pop(task.get_name(), None)
        self._flights.pop(task.get_name(), None)

    async def _keep_storing(self, key: str, wanted: Collection[str], values: Mapping[str, Any]) -> bool:
        delay = _FIRST_DELAY
        while True:
            try:
                return await self._stored(key, wanted, values)
            except WriteError as error:
                _log.error("ledger %s: the outcome of key %r is not stored yet: %s", self._sql.name, key, error)
            await asyncio.sleep(delay)
            delay = min(delay * 2, 3.0)

    async def _stored(self, key: str, wanted: Collection[str], values: Mapping[str, Any]) -> bool:
        """Run the first of the statements that changes something; False when the job is not wanted, or not ours."""
        owner = await self._sql.owner()
        for statement in wanted:
            row = await self._sql.first(statement, key=key, owner=owner, **values)
            if row is not None:
                if row[0]:
                    await self._sql.tell(key)
                return len(row) < 2 or row[1] is None
        return False
