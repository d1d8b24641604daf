"""The jobs of a durable ledger: what is read and changed about them beside their creation."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from connectory.connector.ledger import statements
from connectory.connector.ledger.contract import check_key
from connectory.connector.ledger.records import OPEN, JobCount, JobQuery, JobRecord, JobState, Poll
from connectory.connector.ledger.sql import Sql

__all__ = ["JobRows", "job_of"]

_LAST: Final = "\U0010ffff"
"""Behind every other character."""


def job_of(handle: bytes | None) -> int:
    """A number by which a handle is found quickly; 0 for none."""
    if not handle:
        return 0
    return int.from_bytes(hashlib.blake2b(handle, digest_size=8).digest(), signed=True) or 1


class JobRows:
    """The part of a ledger's contract that is about jobs, over `Sql`."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def doom(self, key: str, category: str = "") -> JobRecord:
        check_key(key)
        await self._sql.run(statements.DOOM, key=key, category=category)
        record = await self.job(key)
        return JobRecord(key=key, category=category, state=JobState.DELETED) if record is None else record

    async def doom_handle(self, handle: bytes) -> JobRecord | None:
        row = await self._sql.first(statements.DOOM_HANDLE, job=job_of(handle), handle=handle)
        return None if row is None else await self.job(row[0])

    async def doom_lapsed(self, key: str) -> bool:
        return await self._sql.first(statements.DOOM_LAPSED, key=key) is not None

    async def confirm(self, key: str, handle: bytes) -> None:
        await self._tell(key, await self._sql.first(statements.CONFIRM, key=key, handle=handle))

    async def decide(self, key: str, handle: bytes | None) -> bool:
        if handle is None:
            row = await self._sql.first(statements.UNDECIDED, key=key)
            row = row or await self._sql.first(statements.CLOSE, key=key)
        else:
            row = await self._sql.first(statements.DECIDE, key=key, handle=handle, job=job_of(handle))
        await self._tell(key, row)
        return row is not None

    async def changed(self, key: str, timeout: float) -> None:
        await self._sql.wait(key, timeout)

    async def note(self, polls: Sequence[Poll]) -> None:
        await self._sql.run_many(list(_notes(polls)))

    async def job(self, key: str) -> JobRecord | None:
        row = await self._sql.first(statements.JOB, key=key)
        return None if row is None else _record(row)

    async def jobs(self, query: JobQuery) -> Sequence[JobRecord]:
        values: dict[str, Any] = {"after": query.after, "limit": query.limit}
        conditions = [*_of_states(query.states)]
        if query.category:
            conditions.append(statements.OF_CATEGORY)
            values["category"] = query.category
            values["versions"] = query.category if "@" in query.category else f"{query.category}@"
        if query.execution:
            conditions.append(statements.OF_EXECUTION)
            values.update(execution=query.execution, beyond=query.execution + _LAST)
        if query.orphans_only:
            conditions.append(statements.ORPHANS_ONLY)
        asked = statements.JOBS.format(conditions="".join(f" AND {one}" for one in conditions))
        return [_record(row) for row in await self._sql.run(asked, **values)]

    async def count(self) -> JobCount:
        live: dict[str, int] = {}
        orphans: dict[str, int] = {}
        for category, is_orphan, number in await self._sql.run(statements.COUNT):
            live[category] = live.get(category, 0) + number
            if is_orphan:
                orphans[category] = orphans.get(category, 0) + number
        return JobCount(live=live, orphans=orphans)

    async def due(self, categories: Collection[str], *, up_for: float, limit: int) -> Sequence[JobRecord]:
        if not categories:
            return []
        named = {f"category{number}": category for number, category in enumerate(categories)}
        places = ", ".join(f":{name}" for name in named)
        rows = await self._sql.run(statements.DUE.format(categories=places), up_for=up_for, limit=limit, **named)
        records = [await self.job(row[0]) for row in rows]
        return [one for one in records if one is not None] + await self._abandoned(named, places, limit)

    async def _abandoned(self, named: Mapping[str, str], places: str, limit: int) -> list[JobRecord]:
        """Intents whose process is gone."""
        statement = statements.OPEN_INTENTS.format(categories=places)
        mine = await self._sql.owner()
        rows = await self._sql.run(statement, limit=10 * limit, **named)
        alive = {owner: await self._sql.is_alive(owner) for owner in {row[-1] for row in rows} - {mine}}
        found = [(_record(row[:-1]), row[-1]) for row in rows]
        return [one for one, owner in found if not alive.get(owner, self._in_flight(one.key))]

    def _in_flight(self, key: str) -> bool:
        """Whether this process is creating the key's job."""
        raise NotImplementedError

    async def put_off(self, key: str, seconds: float) -> bool:
        row = await self._sql.first(statements.PUT_OFF, key=key, seconds=seconds)
        return row is not None and bool(row[0])

    async def _tell(self, key: str, changed: Sequence[Any] | None) -> None:
        if changed is not None and changed[0]:
            await self._sql.tell(key)


def _of_states(states: Collection[JobState]) -> Iterator[str]:
    if OPEN.issuperset(states):
        yield statements.OPEN_ONLY
    if states != OPEN and len(states) < len(JobState):
        yield f"({' OR '.join(statements.IN_STATES[state] for state in sorted(states))})"


def _notes(polls: Sequence[Poll]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for handle, phase, ended, deleted, lease in polls:
        known = {"job": job_of(handle), "handle": handle}
        if deleted:
            yield statements.GONE, known
        elif ended or lease is None:
            yield statements.ENDED if ended else statements.RENEW, {**known, "phase": phase}
        else:
            yield statements.RENEW_FOR, {**known, "phase": phase, "lease": lease or None}


def _record(row: Sequence[Any]) -> JobRecord:
    key, category, state, execution, handle, phase, reason, created, seen, until, orphan, request = row
    return JobRecord(
        key=key,
        category=category,
        state=JobState(state),
        execution=execution,
        handle=handle or b"",
        phase=phase,
        reason=reason or "",
        created_at=created,
        seen_at=seen,
        lease_until=until,
        is_orphan=bool(orphan),
        request=request or b"",
    )
