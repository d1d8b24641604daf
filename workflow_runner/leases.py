"""The lease under which one runner drives its executions: renewed while it does, given up when it ends."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from math import inf

from connectory.errors import StoreError
from workflow_runner.store.contract import LogConflictError, Store
from workflow_runner.store.leases import Holder, LeaseHeldError
from workflow_runner.store.notices import taken_topic
from workflow_runner.store.owners import describe_owner, is_gone

__all__ = ["Leases"]

_log = logging.getLogger(__name__)
_RENEWALS = 3
"""So many times within its length a lease is renewed."""


class Leases:
    """What one runner holds. `lost` is told of each execution that it holds no more, although it did not let go of it.

    Until it holds something, nothing is written: a runner that only looks leaves no trace. When the store cannot be
    reached for as long as the lease lasts, everything counts as lost, because others may have taken it.
    """

    def __init__(self, store: Store, seconds: float, *, lost: Callable[[str, StoreError], None]) -> None:
        self._store = store
        self._book = store.leases
        self._seconds = seconds
        self._lost = lost
        self._held: set[str] = set()
        self._taking: set[str] = set()
        self._letting_go: dict[str, asyncio.Task[None]] = {}
        self._renewed_at = 0.0
        self._in_doubt = False
        self.next_end = inf
        """When, on the loop's clock, the first lease of another runner ends that was seen by `take_free`."""
        self._beginning = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    @property
    def seconds(self) -> float:
        """How long the lease lasts when it is not renewed."""
        return self._seconds

    async def begin(self) -> None:
        """Be believed to live from now on; to be called before anything is held."""
        async with self._beginning:
            if self._task is None:
                await self._renew()
                self._task = asyncio.create_task(self._keep(), name="lease")

    def expect(self, execution_id: str) -> None:
        """An execution is about to be created under this lease; to be followed by `hold` or `drop`."""
        self._taking.add(execution_id)

    def hold(self, execution_id: str) -> None:
        """An execution is driven here from now on."""
        self._taking.discard(execution_id)
        self._held.add(execution_id)

    async def take(self, execution_id: str, *, take_over: bool = False) -> None:
        """Hold an unfinished execution, to be followed by `hold` or `drop`.

        LeaseHeldError when another runner drives it that is believed to live; with `take_over` it is taken all the
        same, and the other one's next write is refused.
        """
        await self.begin()
        await self._settled(execution_id)
        self._taking.add(execution_id)
        try:
            holder = await self._book.take(execution_id)
            while holder is not None and holder.owner != self._book.owner:
                if not take_over and not is_gone(holder.owner):
                    raise _held(execution_id, holder)
                holder = await self._book.take(execution_id, instead_of=holder.owner)
        except BaseException:
            self._taking.discard(execution_id)
            raise

    async def take_free(self, limit: int, *, except_for: Collection[str] = ()) -> Sequence[str]:
        """Hold some of the executions that nobody drives; each is to be followed by `hold` or `drop`."""
        await self.begin()
        others = await self._book.others()
        now = asyncio.get_running_loop().time()
        self.next_end = min((now + other.seconds_left for other in others if other.seconds_left > 0), default=inf)
        for other in others:
            if is_gone(other.owner):
                await self._book.bury(other.owner)
        taken = await self._book.take_free(limit, except_for=[*except_for, *self._letting_go])
        self._taking.update(taken)
        return taken

    def drop(self, execution_id: str, *, free: bool) -> None:
        """An execution is driven here no more; `free`: somebody else may go on with it."""
        known = execution_id in self._held or execution_id in self._taking
        self._held.discard(execution_id)
        self._taking.discard(execution_id)
        if free and known:
            task = asyncio.create_task(self._let_go(execution_id), name=f"let go of {execution_id}")
            self._letting_go[execution_id] = task

    async def close(self) -> None:
        """Let go of everything."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait([self._task, *self._letting_go.values()])
        self._task = None
        self._held.clear()
        try:
            await self._book.resign()
        except StoreError as error:
            _log.warning("others have to wait until the lease of this runner ends: %s", error)

    async def _settled(self, execution_id: str) -> None:
        letting_go = self._letting_go.get(execution_id)
        if letting_go is not None:
            await asyncio.wait([letting_go])

    async def _let_go(self, execution_id: str) -> None:
        try:
            await self._book.let_go([execution_id])
        except StoreError as error:
            _log.warning("execution %s stays with this runner until the lease is renewed: %s", execution_id, error)
        finally:
            self._letting_go.pop(execution_id, None)

    async def _keep(self) -> None:
        with self._store.notices.listen(taken_topic(self._book.owner)) as taken:
            while True:
                try:
                    async with asyncio.timeout(self._until_next_renewal()):
                        await taken.wait()
                except TimeoutError:
                    pass
                taken.clear()
                try:
                    async with asyncio.timeout(self._until_end()):
                        await self._renew()
                except StoreError as error:
                    self._doubt(str(error))
                except TimeoutError:
                    self._doubt("the store does not answer")

    async def _renew(self) -> None:
        now = asyncio.get_running_loop().time()
        held = set(self._held)
        found = set(await self._book.renew(self._seconds))
        self._renewed_at, self._in_doubt = now, False
        for execution_id in held & self._held - found:
            self._lose(execution_id, "another runner has taken the execution over")
        if left := found - self._held - self._taking - self._letting_go.keys():
            await self._book.let_go(left)

    def _left(self) -> float:
        """For how many seconds this runner is still believed to live."""
        return self._renewed_at + self._seconds - asyncio.get_running_loop().time()

    def _until_next_renewal(self) -> float:
        usual = self._seconds / _RENEWALS
        return min(usual, max(self._left(), 0.0)) if self._in_doubt and self._held else usual

    def _until_end(self) -> float:
        """How long a renewal may take: as long as the lease, when its end passed unnoticed or nothing is at stake."""
        left = self._left()
        return max(left, 0.0) if self._held and (self._in_doubt or left > 0) else self._seconds

    def _doubt(self, why: str) -> None:
        """The lease could not be renewed."""
        self._in_doubt = True
        _log.warning("the lease of this runner cannot be renewed: %s", why)
        if self._left() <= 0:
            for execution_id in list(self._held):
                self._lose(execution_id, f"the lease could not be renewed ({why})")

    def _lose(self, execution_id: str, why: str) -> None:
        self._held.discard(execution_id)
        self._lost(execution_id, LogConflictError(f"execution {execution_id!r} is not driven here any more: {why}"))


def _held(execution_id: str, holder: Holder) -> LeaseHeldError:
    who, left = describe_owner(holder.owner), max(holder.seconds_left, 0)
    return LeaseHeldError(
        f"execution {execution_id!r} is driven by {who}, whose lease lasts for another {left:.0f} s unless it is "
        "renewed; wait for it to end there, abort it, or take it over"
    )
