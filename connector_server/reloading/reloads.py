"""Reloads in one process: one after the other, and what became of each is kept, logged and counted."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, Final

from connector_server.reloading.outcome import Outcome, Reloaded
from connector_server.settings import ServerSettings
from connector_server.settings.changes import Changes, changes_between
from connectory.connector.closing import close
from connectory.connector.dispatch import Dispatcher
from connectory.connector.job_policies import Policies
from connectory.connector.rediscovery import Rediscovered
from connectory.connector.registry import BrokenConnector, Registration, Registry
from connectory.connector.secret_rules import SecretRules
from connectory.errors import RegistryError, SettingsError

__all__ = ["Rediscover", "Reload", "Reloads"]

Reload = Callable[[], Coroutine[Any, Any, Reloaded]]
"""Has all processes of the server reload, and answers what became of it in this one."""

Rediscover = Callable[[ServerSettings, Registry], Awaitable[Rediscovered]]
"""Loads the connectors that the settings want anew."""

Follow = Callable[[ServerSettings, Registry], None]
"""Makes a part of the server go by what holds now."""

_log = logging.getLogger("connectory.server")


class Reloads:
    """Changes what a server goes by: its dispatcher, and whoever else follows.

    `rediscover` is None where the connectors were given by the program that serves: only settings change there.
    """

    def __init__(self, settings: ServerSettings, dispatcher: Dispatcher, rediscover: Rediscover | None = None) -> None:
        self.settings = settings
        """What holds now."""
        self.ask: Reload = self.reload
        """How all processes of the server are had to reload; a worker asks its supervisor."""
        self.counts: dict[Outcome, int] = {"done": 0, "partly": 0, "refused": 0}
        self.latest: Reloaded | None = None
        self.latest_at: float | None = None
        """When the latest one that was not refused ended, in seconds since 1970."""
        self._dispatcher = dispatcher
        self._rediscover = rediscover
        self._followers: list[Follow] = []
        self._turn = asyncio.Lock()
        self._asked: set[asyncio.Task[Reloaded]] = set()

    def follow(self, follower: Follow) -> None:
        """Call this after every reload that was not refused."""
        self._followers.append(follower)

    def start(self) -> "asyncio.Task[Reloaded]":
        """Have all processes of the server reload. It goes on when whoever wanted it waits no more."""
        task = asyncio.ensure_future(self.ask())
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)
        return task

    async def aclose(self) -> None:
        """Give up the reloads under way."""
        for task in self._asked:
            task.cancel()
        if self._asked:
            await asyncio.wait(self._asked)

    async def reload(self, *, modules: bool = True) -> Reloaded:
        """Read the settings again and go by them; with `modules` load the connectors anew."""
        try:
            new = self.settings.read_again()
        except SettingsError as error:
            return self.refuse(str(error))
        return await self.apply(new, modules=modules)

    async def apply(
        self, new: ServerSettings, *, modules: bool, after_restart: Sequence[str] = (), others: int = 0
    ) -> Reloaded:
        """Go by these settings as far as can be done without a restart."""
        async with self._turn:
            changes = changes_between(self.settings, new)
            try:
                reloaded = await self._changed(changes, modules=modules or not _SOURCES.isdisjoint(changes.live))
            except (SettingsError, RegistryError) as error:
                return self.refuse(str(error))
            except Exception as error:
                _log.exception("the server could not reload")
                return self.refuse(f"the server failed with {type(error).__name__}; its log says why")
            return self._kept(reloaded.told(after_restart, others))

    def refuse(self, reason: str) -> Reloaded:
        """Nothing is done, because what is written cannot be used."""
        return self._kept(Reloaded(refusal=reason))

    async def _changed(self, changes: Changes, *, modules: bool) -> Reloaded:
        settings = changes.effective
        rules = SecretRules(settings.secrets_allow)
        present = self._dispatcher.registry
        before, broken = present.list(), set(present.broken)
        found = await self._rediscover(settings, present) if modules and self._rediscover is not None else None
        try:
            self._dispatcher.change(
                present if found is None else found.registry,
                policies=Policies(on_orphan=settings.on_orphan, lease=settings.lease, ambiguous=settings.ambiguous),
                limits=settings.limits,
                secret_rules=rules,
            )
        except BaseException:
            if found is not None:
                await asyncio.gather(*map(close, {*found.registry.list(), *found.discarded}.difference(before)))
            raise
        self.settings = settings
        for follower in self._followers:
            follower(settings, present)
        if found is not None:
            await asyncio.gather(*map(close, found.discarded))
            broken -= set(found.failed)
        return _compared(changes, before, present.list(), [one for one in present.broken if one not in broken])

    def _kept(self, reloaded: Reloaded) -> Reloaded:
        self.counts[reloaded.outcome] += 1
        self.latest = reloaded
        if reloaded.refusal:
            _log.error("the configuration is not reloaded: %s", reloaded.refusal)
            return reloaded
        self.latest_at = time.time()
        for broken in reloaded.failed:
            _log.error("connector %s is broken: %s", broken.name, broken.reason, extra={"source": broken.source})
        facts = {name: list(names) for name in _TOLD if (names := getattr(reloaded, name))}
        _log.info("reloaded", extra=facts)
        if reloaded.after_restart:
            names = ", ".join(reloaded.after_restart)
            _log.warning("%s changed and takes effect when the server is started again", names)
        return reloaded


_SOURCES: Final = frozenset({"modules", "isolation"})
"""The settings that say which connectors there are and how they run."""

_TOLD: Final = ("changed", "after_restart", "added", "removed", "reloaded")


def _compared(
    changes: Changes, before: Sequence[Registration], now: Sequence[Registration], failed: Sequence[BrokenConnector]
) -> Reloaded:
    old, new, fresh = _names(before), _names(now), _names(set(now) - set(before))
    return Reloaded(
        changed=changes.live,
        after_restart=changes.after_restart,
        added=sorted(new - old),
        removed=sorted(old - new),
        reloaded=sorted(fresh & old),
        failed=tuple(failed),
    )


def _names(registrations: Iterable[Registration]) -> set[str]:
    return {registration.name for registration in registrations}
