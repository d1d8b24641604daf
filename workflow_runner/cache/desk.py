"""Asks the cache on behalf of one execution, and tells it what the execution has worked out."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from math import inf

from connectory.errors import StorageError, StoreError
from workflow_runner.cache.contract import CachedResult, ResultCache
from workflow_runner.engine.commands import GiveUp, LookUp, Remember
from workflow_runner.engine.events import CacheAnswered

__all__ = ["CacheDesk"]

_log = logging.getLogger(__name__)

_LEASE = 30.0
"""A claim of a process that ended without a word is believed for so many seconds."""
_FIRST_LOOK = 0.02
_SLOWEST_LOOK = 0.5


class CacheDesk:
    """Performs the engine's commands on the cache; `emit` receives the answers.

    `allowed` says whether a node's plugin has its results cached at all; `readable` gives a node's outputs as the
    engine can read them, or raises a StorageError. While a claim is held it is renewed; a crash
    lets go of it after a while.
    """

    def __init__(
        self,
        cache: ResultCache,
        execution: str,
        *,
        emit: Callable[[CacheAnswered], None],
        pause: Callable[[StoreError], None],
        allowed: Callable[[str], Awaitable[bool]],
        readable: Callable[[str, bytes], Awaitable[bytes]],
        clock: Callable[[], float],
    ) -> None:
        self._cache = cache
        self._execution = execution
        self._emit = emit
        self._pause = pause
        self._allowed = allowed
        self._readable = readable
        self._clock = clock
        self._looking: set[asyncio.Task[None]] = set()
        self._writing: set[asyncio.Task[None]] = set()
        self._held: dict[str, str] = {}
        self._renewing = False

    def look_up(self, command: LookUp) -> None:
        """Answer once the result is there, or this execution is the one to work it out."""
        self._spawn(self._look_up(command), self._looking)

    def remember(self, command: Remember) -> None:
        """Keep a result."""
        self._held.pop(command.key, None)
        self._spawn(self._remember(command), self._writing)

    def give_up(self, command: GiveUp) -> None:
        """Let others work the result out."""
        self._held.pop(command.key, None)
        self._spawn(self._cache.release(command.key, self._owner(command.node)), self._writing)

    def hold(self, node: str, key: str) -> None:
        """Renew from now on the claim of a node that is at work."""
        self._held[key] = self._owner(node)
        if not self._renewing:
            self._renewing = True
            self._spawn(self._renew(), self._looking)

    async def close(self) -> None:
        """Stop looking; what is to be kept is still written."""
        for task in self._looking:
            task.cancel()
        pending = [*self._looking, *self._writing]
        if pending:
            await asyncio.wait(pending)

    async def _look_up(self, command: LookUp) -> None:
        found = None
        if await self._allowed(command.node):
            not_before = self._clock() - command.max_age if command.max_age else 0.0
            if command.alone:
                found = await self._claim(command, not_before)
            else:
                found = await self._cache.find(command.key, not_before=not_before)
        outputs = await self._outputs(command, found) if found is not None else None
        answer = CacheAnswered(
            at=self._clock(),
            node=command.node,
            attempt=command.attempt,
            outputs=outputs,
            source=found.source if found is not None and outputs is not None else "",
        )
        self._emit(answer)

    async def _outputs(self, command: LookUp, found: CachedResult) -> bytes | None:
        """The result as the execution needs it; None when what it refers to is not there any more."""
        try:
            return await self._readable(command.node, found.outputs)
        except (StorageError, OSError) as error:
            _log.warning("the result of %s in the cache cannot be read: %s", found.source, error)
            return None

    async def _claim(self, command: LookUp, not_before: float) -> CachedResult | None:
        wait = _FIRST_LOOK
        while True:
            owner = self._owner(command.node)
            claim = await self._cache.claim(command.key, owner, seconds=_LEASE, not_before=not_before)
            if claim.granted:
                self.hold(command.node, command.key)
            if claim.granted or claim.result is not None:
                return claim.result
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, _SLOWEST_LOOK)

    async def _remember(self, command: Remember) -> None:
        owner = self._owner(command.node)
        if not await self._allowed(command.node):
            await self._cache.release(command.key, owner)
            return
        source = f"{owner}/{command.attempt}"
        result = CachedResult(outputs=command.outputs, source=source, kept_at=self._clock())
        await self._cache.keep(command.key, owner, result)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_LEASE / 3)
            for key, owner in list(self._held.items()):
                await self._cache.claim(key, owner, seconds=_LEASE, not_before=inf)

    def _owner(self, node: str) -> str:
        return f"{self._execution}/{node}"

    def _spawn(self, work: Coroutine[object, object, None], among: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(work, name=f"cache {self._execution}")
        among.add(task)
        task.add_done_callback(lambda done: self._ended(done, among))

    def _ended(self, task: asyncio.Task[None], among: set[asyncio.Task[None]]) -> None:
        among.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        _log.error("the cache does not work for execution %s", self._execution, exc_info=error)
        if among is self._looking:  # what cannot be kept is worked out again some day
            self._pause(error if isinstance(error, StoreError) else StoreError(f"the cache does not work: {error}"))
