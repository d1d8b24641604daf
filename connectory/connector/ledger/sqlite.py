"""A ledger in one SQLite file, shared by the processes of one machine; creates happen once over crashes, too."""

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from connectory.connector.creations import Creation
from connectory.connector.ledger import statements
from connectory.connector.ledger.contract import Create, Find, already_exists, retrieve, unknown_outcome
from connectory.connector.ledger.database import Database
from connectory.connector.ledger.liveness import Owner
from connectory.errors import AmbiguousError, UnavailableError

__all__ = ["SqliteLedger"]

PATIENCE: Final = 3.0
"""How many seconds a caller waits until its outcome is stored, before it gets the outcome all the same."""
_FIRST_DELAY, _LONGEST_DELAY = 0.005, 0.25
_PRUNE_EVERY: Final = 60.0
_log = logging.getLogger("connectory.connector.ledger")


@dataclass(frozen=True, slots=True)
class _Row:
    """What is stored under a key, and whether it is for this process to settle it."""

    digests: Mapping[str, str]
    state: str
    handle: bytes
    reason: str
    mine: bool
    is_new: bool


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


class SqliteLedger:
    """Creates by key in an SQLite file (WAL, every commit durable). Needs POSIX, and the file on a local disk.

    Several processes may share the file: a key belongs to the process that wrote its intent, and the others wait for
    its outcome. When that process is gone, the next caller takes the key over and settles it by `find`.

    An outcome that cannot be stored (the disk is full) is told to the callers after `patience` seconds, because they
    can keep the job's handle; storing it is tried again until the ledger is closed, and meanwhile this process answers
    for the key from memory. Outcomes are forgotten after `keep`.
    """

    def __init__(self, path: str | Path, *, keep: timedelta = timedelta(days=14), patience: float = PATIENCE) -> None:
        self._patience = patience
        self._path = Path(path)
        self._keep = keep
        self._database = Database(self._path)
        self._owner: Owner | None = None
        self._pruned_at = 0.0
        self._flights: dict[str, _Flight] = {}
        self._storing: dict[str, asyncio.Task[None]] = {}
        self._closing = False

    async def once(self, creation: Creation, create: Create, find: Find | None = None) -> bytes:
        key = creation.key
        while (flight := self._flights.get(key)) is not None:
            error = already_exists(creation, flight.digests)
            if error is None:
                return await asyncio.shield(flight.outcome)
            if flight.holds_key:
                raise error
            await flight.told.wait()
            await asyncio.sleep(0)  # one that has ended is forgotten in the meantime
        flight = self._flights[key] = _Flight(creation.digests, self._settle(creation, create, find))
        flight.outcome.add_done_callback(lambda _: self._landed(key))
        return await asyncio.shield(flight.outcome)

    async def aclose(self) -> None:
        self._closing = True
        while outcomes := [flight.outcome for flight in self._flights.values() if not flight.outcome.done()]:
            await asyncio.wait(outcomes)
        if self._storing:
            _, given_up = await asyncio.wait(self._storing.values(), timeout=self._patience)
            for task in given_up:
                task.cancel()
        await self._database.aclose()
        if self._owner is not None:
            self._owner.close()
            self._owner = None

    def _landed(self, key: str) -> None:
        if key not in self._storing:
            self._flights.pop(key, None)

    async def _settle(self, creation: Creation, create: Create, find: Find | None) -> bytes:
        row = await self._claimed(creation, takes_ambiguous=find is not None)
        flight = self._flights[creation.key]
        flight.holds_key = True
        flight.told.set()
        if row.state == "created":
            return row.handle
        if row.state == "ambiguous":
            raise AmbiguousError(row.reason)
        if not row.is_new:
            found = await self._found(creation.key, find)
            if found is not None:
                await self._store(creation.key, statements.SETTLE, state="created", handle=found)
                return found
        return await self._created(creation.key, create)

    async def _claimed(self, creation: Creation, *, takes_ambiguous: bool) -> _Row:
        """The key's row, once it is settled or is for this process to settle."""
        delay = _FIRST_DELAY
        while True:
            row = await self._write(lambda connection: self._claim(connection, creation, takes_ambiguous))
            if (error := already_exists(creation, row.digests)) is not None:
                raise error
            if row.mine or row.state != "intended":
                return row
            if self._closing:
                raise UnavailableError(f"the ledger {self._path} is being closed; ask again", reason="LEDGER")
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY)

    def _claim(self, connection: sqlite3.Connection, creation: Creation, takes_ambiguous: bool) -> _Row:
        owner = self._own()
        self._prune(connection)
        key = creation.key
        stored = connection.execute(statements.READ, {"key": key}).fetchone()
        if stored is None:
            digests = json.dumps(dict(creation.digests))
            values = {"key": key, "digests": digests, "owner": owner.name, "now": time.time()}
            connection.execute(statements.INTEND, values)
            return _Row(creation.digests, "intended", b"", "", mine=True, is_new=True)
        digests, state, holder, handle, reason = stored
        row = _Row(json.loads(digests), state, handle or b"", reason or "", mine=False, is_new=False)
        open_to_all = state == "ambiguous" and takes_ambiguous
        abandoned = state == "intended" and (holder == owner.name or not owner.is_alive(holder))
        if (open_to_all or abandoned) and not creation.differences(row.digests):
            connection.execute(statements.TAKE_OVER, {"key": key, "owner": owner.name, "now": time.time()})
            return _Row(row.digests, "intended", b"", "", mine=True, is_new=False)
        return row

    def _own(self) -> Owner:
        if self._owner is None:
            self._owner = Owner(self._path.with_name(self._path.name + ".owners"))
        return self._owner

    def _prune(self, connection: sqlite3.Connection) -> None:
        if time.monotonic() > self._pruned_at + _PRUNE_EVERY or not self._pruned_at:
            self._pruned_at = time.monotonic()
            connection.execute(statements.PRUNE, {"before": time.time() - self._keep.total_seconds()})

    async def _found(self, key: str, find: Find | None) -> bytes | None:
        if find is not None:
            return await find()
        error = unknown_outcome(
            key, "the process that was creating it ended before it could tell, and the connector cannot look for it"
        )
        await self._store(key, statements.SETTLE, state="ambiguous", reason=error.message)
        raise error

    async def _created(self, key: str, create: Create) -> bytes:
        try:
            handle = await create()
        except AmbiguousError as error:
            await self._store(key, statements.SETTLE, state="ambiguous", reason=error.message)
            raise
        except Exception:
            await self._store(key, statements.FORGET)
            raise
        await self._store(key, statements.SETTLE, state="created", handle=handle)
        return handle

    async def _store(self, key: str, statement: str, **values: Any) -> None:
        """Store an outcome, and wait for that as long as it is reasonable to let a caller wait."""
        row = {"key": key, "owner": self._own().name, "handle": None, "reason": None, "now": time.time(), **values}
        task = asyncio.create_task(self._keep_storing(key, statement, row), name=key)
        self._storing[key] = task
        done, _ = await asyncio.wait({task}, timeout=self._patience)
        if done:
            del self._storing[key]
        else:
            task.add_done_callback(self._stored_late)

    def _stored_late(self, task: asyncio.Task[None]) -> None:
        self._storing.pop(task.get_name(), None)
        self._flights.pop(task.get_name(), None)

    async def _keep_storing(self, key: str, statement: str, row: Mapping[str, Any]) -> None:
        delay = _FIRST_DELAY
        while True:
            try:
                await self._database.do(lambda connection: connection.execute(statement, row).rowcount)
            except (sqlite3.Error, OSError) as error:
                _log.error("ledger %s: the outcome of key %r is not stored yet: %s", self._path, key, error)
            else:
                return
            await asyncio.sleep(delay)
            delay = min(delay * 2, 3.0)

    async def _write(self, perform: Callable[[sqlite3.Connection], _Row]) -> _Row:
        try:
            return await self._database.do(perform)
        except (sqlite3.Error, OSError) as error:
            raise UnavailableError(
                f"the ledger {self._path} cannot be written ({error}); nothing was created", reason="LEDGER"
            ) from error
