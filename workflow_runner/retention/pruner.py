"""A runner that serves forgets by itself what ended long ago."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from connectory.errors import StoreError
from workflow_runner.retention.pruning import prune
from workflow_runner.store.contract import Store

__all__ = ["Pruner", "Retention"]

_EVERY: Final = 3600.0
_log = logging.getLogger("connectory.runner")


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How long executions are kept after their end."""

    older_than: timedelta
    keep: int = 0
    """So many of those that ended last are kept, however old they are."""


class Pruner:
    """Prunes when it starts, and every hour from then on."""

    def __init__(self, store: Store, retention: Retention, *, clock: Callable[[], float]) -> None:
        self._store = store
        self._retention = retention
        self._clock = clock

    async def run(self) -> None:
        """Go on for ever."""
        while True:
            before = self._clock() - self._retention.older_than.total_seconds()
            try:
                pruned = await prune(self._store, before=before, keep=self._retention.keep)
            except (StoreError, OSError) as error:
                _log.warning("what ended long ago is not forgotten yet: %s", error)
            else:
                if pruned.executions:
                    _log.info("%s executions that ended long ago are forgotten", len(pruned.executions))
            await asyncio.sleep(_EVERY)
