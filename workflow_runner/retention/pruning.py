"""Forgetting executions that ended long ago, with all that was kept of them."""

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectory.database.contract import Database, Session
from connectory.database.statements import load_statements
from connectory.v1 import control_pb2
from workflow_runner.engine.events import ExecutionStarted, decode_event
from workflow_runner.python.code import prune_code
from workflow_runner.store.contract import Store

__all__ = ["Pruned", "prune"]

_AT_ONCE: Final = 200
"""Executions of one transaction, so that others who write wait only briefly."""
_OF_EVERY_STORE: Final = ("delete_signals", "delete_plugin_states", "delete_events", "delete_executions")
_OF_ROOMS: Final = {"notifications": "delete_notifications", "control": "delete_requests"}
"""What rooms keep of executions, by the names of their schemas: not every store has them."""


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """What is gone, or would be."""

    executions: Sequence[str]
    """Their ids, those first that ended first."""
    results: int
    """How many results in the cache."""
    code: Sequence[Path]
    """Folders of this machine with unpacked code."""


async def prune(store: Store, *, before: float, keep: int = 0, dry_run: bool = False) -> Pruned:
    """Forget executions that ended before this time (seconds since 1970), except the `keep` that ended last.

    An execution goes with its log, what plugins remember, answers to its gates and what the control API and
    notifications know of it; its name is free again. Left alone is what has not ended, and what an unfinished execution
    recovers. Cached results that were kept before then go as well, and code of registered tasks that was unpacked on
    this machine and has not been used since. Nothing is deleted where outputs are written. `dry_run`: only tell.
    """
    database = store.database
    sql = load_statements(__package__, database.dialect)
    rooms = {room for (room,) in await database.rows(sql["select_rooms"])}
    needed = await _needed(database, sql, rooms)
    ended = [found for (found,) in await database.rows(sql["select_ended"], before=before, keep=keep)]
    executions = [one for one in ended if one not in needed]
    if dry_run:
        [(results,)] = await database.rows(sql["count_results"], before=before)
    else:
        of_rooms = [statement for room, statement in _OF_ROOMS.items() if room in rooms]
        deletions = [sql[statement] for statement in (*of_rooms, *_OF_EVERY_STORE)]
        for first in range(0, len(executions), _AT_ONCE):
            await _delete(database, deletions, executions[first : first + _AT_ONCE])
        results = await database.change(sql["delete_results"], before=before)
        await database.change(sql["delete_claims"])
    code = await asyncio.to_thread(prune_code, before, dry_run=dry_run)
    return Pruned(executions=executions, results=results, code=code)


async def _needed(database: Database, sql: Mapping[str, str], rooms: Collection[str]) -> Collection[str]:
    """The executions that unfinished ones recover, those among them that were accepted and have not begun."""
    events = [decode_event(event) for (event,) in await database.rows(sql["select_beginnings"])]
    needed = {event.reuse.execution for event in events if isinstance(event, ExecutionStarted)}
    if "control" in rooms:
        for (request,) in await database.rows(sql["select_accepted_recoveries"]):
            earlier = control_pb2.ExecutionCreateRequest.FromString(request).spec.metadata.reference_execution
            named = {"project": earlier.project, "domain": earlier.domain, "name": earlier.name}
            needed.update(found for (found,) in await database.rows(sql["select_named"], **named))
    return needed


async def _delete(database: Database, deletions: Sequence[str], executions: Sequence[str]) -> None:
    async def transaction(session: Session) -> None:
        for statement in deletions:
            await session.change(statement, executions=json.dumps(executions))

    await database.run(transaction)
