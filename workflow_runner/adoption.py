"""Going on with executions that nobody drives: those that a runner left behind when it ended, in order or not."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from connectory.errors import StoreError
from workflow_runner.leases import Leases
from workflow_runner.store.contract import LogRecord, PluginState, Store
from workflow_runner.store.notices import LEASES

__all__ = ["Adoption", "GoOn"]

_log = logging.getLogger(__name__)
_AT_ONCE = 100
_LONGEST_WAIT = 600.0
_SHORTEST_LOOK = 0.02

GoOn = Callable[[str, Sequence[LogRecord], Mapping[tuple[str, int], PluginState]], Awaitable[None]]
"""Drive an execution from what is kept of it, unless it is driven already; raises when that cannot be done."""


class Adoption:
    """Looks for executions that nobody drives and has them driven here.

    It looks when it is told that some are free, when the first lease of another runner ends, and a few times within
    the length of a lease. What paused here is tried again after a while, and after ever longer ones.
    """

    def __init__(self, store: Store, leases: Leases, go_on: GoOn) -> None:
        self._store = store
        self._leases = leases
        self._go_on = go_on
        self._later: dict[str, tuple[float, float]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look from now on."""
        self._task = asyncio.create_task(self._run(), name="adoption")

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def sweep(self, limit: int = _AT_ONCE) -> Sequence[str]:
        """Go on with some executions that nobody drives, those first that have waited longest; which ones."""
        now = asyncio.get_running_loop().time()
        taken = await self._leases.take_free(
            limit, except_for=[key for key, (at, _) in self._later.items() if at > now]
        )
        try:
            logs, states = await self._store.logs(taken), await self._store.many_plugin_states(taken)
        except BaseException:
            for execution in taken:
                self._leases.drop(execution, free=True)
            raise
        return [
            execution for execution in taken if await self._begin(execution, logs[execution], states.get(execution, {}))
        ]

    def put_off(self, execution_id: str) -> None:
        """This execution paused here; let some time pass before it is tried again."""
        _, wait = self._later.get(execution_id, (0.0, self._leases.seconds / 6))
        wait = min(wait * 2, _LONGEST_WAIT)
        self._later[execution_id] = (asyncio.get_running_loop().time() + wait, wait)

    def forget(self, execution_id: str) -> None:
        """This execution has ended."""
        self._later.pop(execution_id, None)

    async def _begin(
        self, execution_id: str, log: Sequence[LogRecord], states: Mapping[tuple[str, int], PluginState]
    ) -> bool:
        await asyncio.sleep(0)  # what runs already gets its turn between two of them
        try:
            await self._go_on(execution_id, log, states)
        except Exception as error:  # one that cannot be read must not keep the others waiting
            _log.exception("execution %s cannot be gone on with: %s", execution_id, error)
            self.put_off(execution_id)
            self._leases.drop(execution_id, free=True)
            return False
        _log.info("execution %s goes on here", execution_id)
        return True

    async def _run(self) -> None:
        with self._store.notices.listen(LEASES) as news:
            while True:
                news.clear()
                try:
                    while await self.sweep():
                        pass
                except StoreError as error:
                    _log.warning("executions that nobody drives cannot be looked for: %s", error)
                try:
                    async with asyncio.timeout(self._until_next_look()):
                        await news.wait()
                except TimeoutError:
                    continue

    def _until_next_look(self) -> float:
        now = asyncio.get_running_loop().time()
        moments = [self._leases.next_end, *(at for at, _ in self._later.values())]
        soonest = min((moment - now for moment in moments if moment > now), default=_LONGEST_WAIT)
        return max(_SHORTEST_LOOK, min(soonest + _SHORTEST_LOOK, self._leases.seconds / 3))
