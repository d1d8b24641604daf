"""What is done about jobs that nobody looks after: looked at, then deleted or reported, as their connector says."""

import asyncio
import enum
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final

from connectory.connector.contexts import Contexts
from connectory.connector.contract import Phase
from connectory.connector.deleting import Deleting
from connectory.connector.failures import FAILURES, translated
from connectory.connector.job_policies import KnownPolicies
from connectory.connector.leases import Leases
from connectory.connector.ledger import Ledger
from connectory.connector.ledger.records import JobCount, JobQuery, JobRecord, JobState, Poll, backoff
from connectory.connector.limits.gates import Gates
from connectory.connector.registry import Registry, Route
from connectory.errors import ConnectorError, ConnectoryError, NotFoundError

__all__ = ["Outcome", "Reaped", "Reaping"]

_AT_ONCE: Final = 8
_BATCH: Final = 100
_LOOK_AGAIN: Final = 300.0
_JUMP: Final = 5.0
"""By more seconds than that a clock does not go wrong between two rounds: it was set, or the machine slept."""
_PATIENCE: Final = 60.0
"""After so many seconds a job is left for later: a connector that does not answer must not keep the others waiting."""
_log = logging.getLogger("connectory.connector.reaper")


class Outcome(enum.StrEnum):
    """What was done about a job."""

    REMOVED = "removed"
    FOUND_ENDED = "found_ended"
    KEPT = "kept"
    SETTLED = "settled"
    FAILED_FOR_NOW = "failed_for_now"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reaped:
    """What became of one job."""

    job: JobRecord
    """As it was found."""
    outcome: Outcome
    message: str = ""


class Reaping:
    """Looks after abandoned jobs of this server's connectors, together with every server that shares the ledger.

    Looking at a job waits for its turn among the polls of the credential under which it is counted, and when the
    external system asks to be left alone, that holds for the callers with that credential too.
    It never ends a job that has ended, or that was polled within its lease through any server. Leases count only from
    when this server began to answer, because nobody could poll before; and anew when this machine's clock jumps.
    """

    def __init__(
        self,
        registry: Registry,
        ledger: Ledger,
        contexts: Contexts,
        deleting: Deleting,
        leases: Leases,
        policies: KnownPolicies,
        gates: Gates,
    ) -> None:
        self._registry = registry
        self._ledger = ledger
        self._contexts = contexts
        self._deleting = deleting
        self._leases = leases
        self._policies = policies
        self._gates = gates
        self._began = monotonic()
        self._offset = time.time() - monotonic()
        self._tried: dict[str, float] = {}
        self.count = JobCount()
        """How many jobs were open after the latest round."""

    async def round(self) -> Sequence[Reaped]:
        """Deal with what is due. A ledger that cannot be read or written is an `UnavailableError`."""
        self._mind_the_clock()
        await self._leases.flush()
        routes = self._routes()
        done: dict[str, Reaped] = {}
        room = asyncio.Semaphore(_AT_ONCE)
        while True:
            found = await self._ledger.due(routes.keys(), up_for=monotonic() - self._began, limit=_BATCH)
            due = [job for job in found if job.key not in done]
            reaped = await asyncio.gather(*(self._within(room, routes[job.category], job) for job in due))
            done.update((one.job.key, one) for one in reaped)
            if not due or len(found) < _BATCH:
                break
        self.count = await self._ledger.count()
        return list(done.values())

    async def preview(self) -> Sequence[Reaped]:
        """What a round would do, as far as it can be told without looking at the jobs."""
        routes = self._routes()
        states = frozenset({JobState.LIVE, JobState.AMBIGUOUS, JobState.DELETING})
        records = await self._ledger.jobs(JobQuery(states=states, limit=1000))
        wanted = [
            job for job in records if (job.is_orphan or job.state is JobState.DELETING) and job.category in routes
        ]
        return [Reaped(job=job, outcome=self._expected(routes[job.category], job)) for job in wanted]

    def _mind_the_clock(self) -> None:
        before, self._offset = self._offset, time.time() - monotonic()
        if abs(self._offset - before) > _JUMP:
            _log.warning("the clock jumped by %.0f s; leases of jobs count from now on", self._offset - before)
            self._began = monotonic()

    def _expected(self, route: Route, job: JobRecord) -> Outcome:
        if job.state is JobState.AMBIGUOUS:
            can_look = bool(job.request) and "find" in route.registration.operations
            return Outcome.SETTLED if can_look else Outcome.KEPT
        deletes = job.state is JobState.DELETING or self._policies.of(route.registration).on_orphan == "delete"
        return Outcome.REMOVED if deletes else Outcome.KEPT

    def _routes(self) -> dict[str, Route]:
        found = {}
        for registration in self._registry.list():
            for category in registration.categories if not registration.is_sync else ():
                route = self._registry.route(category.name, category.version)
                found[route.label] = route
        return found

    async def _within(self, room: asyncio.Semaphore, route: Route, job: JobRecord) -> Reaped:
        async with room:
            try:
                async with asyncio.timeout(_PATIENCE):
                    reaped = await self._dealt_with(route, job)
            except TimeoutError:
                sentence = f"its connector did not answer within {_PATIENCE:g} seconds"
                reaped = Reaped(job=job, outcome=Outcome.FAILED_FOR_NOW, message=sentence)
            except ConnectoryError as error:
                reaped = Reaped(job=job, outcome=Outcome.FAILED_FOR_NOW, message=str(error))
                if isinstance(error, ConnectorError):
                    self._gates.told_about(route.registration, job.handle, error)
            except Exception as error:
                told = translated(error, route.registration, "reap")
                reaped = Reaped(job=job, outcome=Outcome.FAILED_FOR_NOW, message=str(told))
        if reaped.outcome is Outcome.FAILED_FOR_NOW:
            await self._try_later(route, reaped)
        else:
            self._tried.pop(job.key, None)
        return reaped

    async def _dealt_with(self, route: Route, job: JobRecord) -> Reaped:
        if not job.handle:
            return await self._settled(route, job)
        if job.state is JobState.DELETING:
            return await self._removed(route, job)
        if (phase := await self._ended(route, job)) is not None:
            await self._ledger.note([Poll(job.handle, phase, ended=True, deleted=False)])
            self._gates.polled(route.registration, job.handle, ended=True)
            return Reaped(job=job, outcome=Outcome.FOUND_ENDED)
        policy = self._policies.of(route.registration)
        if policy.on_orphan == "keep":
            return await self._kept(route, job, policy.lease)
        if await self._ledger.doom_lapsed(job.key):
            return await self._removed(route, job)
        return Reaped(job=job, outcome=Outcome.KEPT, message="it was polled again")

    async def _settled(self, route: Route, job: JobRecord) -> Reaped:
        find = self._deleting.find_of(route, job)
        if find is not None:
            await self._gates.look(route.registration, b"")
        await self._ledger.resolve(job, find)
        now = await self._ledger.job(job.key)
        if now is None or now.state is JobState.DELETED:
            return Reaped(job=job, outcome=Outcome.SETTLED, message="there is no job")
        if now.handle and now.state is JobState.DELETING:
            return await self._removed(route, now)
        if now.handle:
            return Reaped(job=job, outcome=Outcome.SETTLED, message="there is a job")
        return await self._kept(route, now, _LOOK_AGAIN)

    async def _removed(self, route: Route, job: JobRecord) -> Reaped:
        await self._deleting.confirmed(route, job)
        _log.info("job %s of connector %s was deleted", job.key, route.registration.name)
        return Reaped(job=job, outcome=Outcome.REMOVED)

    async def _kept(self, route: Route, job: JobRecord, seconds: float) -> Reaped:
        if await self._ledger.put_off(job.key, max(seconds, 1.0)):
            why = job.reason or "nobody has polled it within its lease"
            _log.warning("job %s of connector %s is an orphan: %s", job.key, route.registration.name, why)
        return Reaped(job=job, outcome=Outcome.KEPT, message=job.reason)

    async def _ended(self, route: Route, job: JobRecord) -> int | None:
        """The phase in which a job has ended; None: it goes on."""
        registration = route.registration
        try:
            handle, _ = registration.codec.decode(route.label, job.handle)
            await self._gates.look(registration, job.handle)
            context = self._contexts.of_job(route, None, handle=job.handle)
            resource = await registration.operations["get"](handle, context)
        except NotFoundError:
            return job.phase
        except FAILURES as error:
            raise translated(error, registration, "get") from error.__cause__
        phase = int(resource.phase)
        return phase if phase in _ENDED else None

    async def _try_later(self, route: Route, reaped: Reaped) -> None:
        key, now = reaped.job.key, monotonic()
        since = self._tried.setdefault(key, now)
        if since == now:
            name = route.registration.name
            _log.error("job %s of connector %s cannot be dealt with yet: %s", key, name, reaped.message)
        try:
            await self._ledger.put_off(key, backoff(now - since))
        except ConnectoryError as error:
            _log.error("job %s cannot be put off: %s", key, error)


_ENDED: Final = frozenset(int(phase) for phase in Phase if phase.is_terminal)
