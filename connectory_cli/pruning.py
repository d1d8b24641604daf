"""`connectory executions prune`: forget what ended long ago."""

import re
import sys
import time
from datetime import timedelta
from typing import Final

import uvloop

from connectory.errors import SettingsError
from connectory_cli.home import places
from connectory_cli.printing import print_json, say
from workflow_runner.retention.pruner import Retention
from workflow_runner.retention.pruning import Pruned, prune
from workflow_runner.store.opening import open_store

__all__ = ["prune_executions", "retention"]

_AGE: Final = re.compile(r"(\d+)([dhms])")
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def prune_executions(store: str | None, older_than: str, keep: int, dry_run: bool, as_json: bool) -> int:
    """Forget, and print what is gone. A store that is not there yet has nothing to forget, and is not made."""
    where, before = places(store), time.time() - _age(older_than).total_seconds()

    async def session() -> Pruned:
        async with open_store(where.store) as opened:
            return await prune(opened, before=before, keep=keep, dry_run=dry_run)

    if where.file is not None and not where.file.exists():
        pruned = Pruned(executions=(), results=0, code=())
    else:
        pruned = uvloop.run(session())
    if as_json:
        code = [str(folder) for folder in pruned.code]
        print_json({"executions": [*pruned.executions], "cached_results": pruned.results, "code": code})
        return 0
    sys.stdout.writelines(f"{execution}\n" for execution in pruned.executions)
    counts = f"{len(pruned.executions)} executions, {pruned.results} cached results, {len(pruned.code)} folders of code"
    say(f"{counts} {'would be' if dry_run else 'are'} forgotten")
    return 0


def retention(older_than: str | None, keep: int) -> Retention | None:
    """How long a service keeps executions; None: for ever."""
    return None if older_than is None else Retention(older_than=_age(older_than), keep=keep)


def _age(text: str) -> timedelta:
    match = _AGE.fullmatch(text)
    if match is None:
        raise SettingsError(f"{text!r} is no age; write a number and d, h, m or s, such as 30d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
