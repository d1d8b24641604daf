"""All jobs that are watched in this process."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import random
from typing import Final

from connectory.connector.job_policies import KnownPolicies
from connectory.connector.limits.credentials import connection_of, credential_of
from connectory.connector.limits.gates import Gates
from connectory.connector.registry import Registration, Route
from connectory.connector.shared_polls import SharedPolls, asked_of
from connectory.connector.watching.jobs import JobKey, WatchCount, WatchedJob, Watcher
from connectory.connector.watching.lanes import POLL_LIMIT, Lane
from connectory.connector.watching.schedule import Schedule
from connectory.errors import ConnectorError, DeadlineExceededError, InternalError, RateLimitedError
from connectory.v1 import connector_pb2 as pb

__all__ = ["Watching"]

_LATE: Final = timedelta(seconds=POLL_LIMIT)
_SWEEP: Final = 5.0
_MOST: Final = 256
_MOST_LIMITED: Final = 16
"""Where polls are limited, so few wait for their turn at once that other callers have theirs."""
_SHORTEST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 60.0
_log = logging.getLogger("connectory.connector")


class Watching:
    """Polls each watched job once for all who watch it, for as long as somebody does.

    `route_of` finds the connector of a category by its name and version, anew for each poll; `handle_of` gives a
    request's handle without its signature, or raises an `InvalidTaskError`.
    """

    def __init__(
        self,
        polls: SharedPolls,
        gates: Gates,
        policies: KnownPolicies,
        route_of: Callable[[str, int], Route],
        handle_of: Callable[[pb.GetTaskRequest], bytes],
    ) -> None:
        self._polls = polls
        self._gates = gates
        self._policies = policies
        self._route_of = route_of
        self._handle_of = handle_of
        self._jobs: dict[JobKey, WatchedJob] = {}
        self._lanes: dict[tuple[str, int, str], Lane] = {}
        self._counts: dict[str, WatchCount] = {}
        self._schedule = Schedule(self._begin)
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    def watch(self, request: pb.GetTaskRequest, watcher: Watcher) -> WatchedJob:
        """Tell the watcher how a job stands, and then what changes, until `unwatch` or until the job has `ended`.

        A job that cannot be asked about at all is an error of the tree.
        """
        key = _key(request, self._handle_of(request))
        route = self._route_of(key.name, key.version)
        job = self._jobs.get(key)
        if job is None:
            job = self._jobs[key] = self._made(route, request, key)
            self._begin([job])
        elif job.known is not None:
            watcher.news(job)
            if job.due is not None and not job.steered:
                self._schedule.add(job, 0.0)
        job.watchers[watcher] = None
        return job

    def unwatch(self, job: WatchedJob, watcher: Watcher) -> None:
        """The watcher has heard enough."""
        job.watchers.pop(watcher, None)
        if not job.watchers and not job.ended:
            self._drop(job)

    def counts(self) -> Iterator[WatchCount]:
        """What is watched, by category."""
        return iter(list(self._counts.values()))

    async def aclose(self) -> None:
        """Poll nothing any more."""
        self._closed = True
        self._schedule.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for lane in list(self._lanes.values()):
            await lane.aclose()
        self._lanes.clear()
        self._jobs.clear()

    def _made(self, route: Route, request: pb.GetTaskRequest, key: JobKey) -> WatchedJob:
        lane_key = (key.name, key.version, key.credential)
        lane = self._lanes.get(lane_key)
        if lane is None:
            lane = self._lanes[lane_key] = Lane(self._poll, self._late, lambda: self._most(key.name, key.version))
        category = f"{key.name}@{key.version}"
        count = self._counts.setdefault(category, WatchCount(category))
        count.jobs += 1
        lane.jobs += 1
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(_SWEEP, self._sweep)
        return WatchedJob(request, key, asked_of(route, request), lane, count)

    def _begin(self, jobs: list[WatchedJob]) -> None:
        for job in jobs:
            if not job.ended and not self._closed:
                job.lane.add(job)

    async def _poll(self, job: WatchedJob) -> float:
        key = job.key
        try:
            route = self._route_of(key.name, key.version)
            deadline = datetime.now(UTC) + _LATE
            answer = await self._polls.get(job.asked, route, job.request, key.handle, deadline, job.last)
            self._answered(job, route.registration, answer)
        except RateLimitedError as error:
            if error.retry_after is not None:
                return min(max(error.retry_after.total_seconds(), _SHORTEST_PAUSE), _LONGEST_PAUSE)
            self._failed(job, error)
        except ConnectorError as error:
            self._failed(job, error)
        except Exception:
            _log.exception("a watched job could not be asked about")
            self._failed(job, InternalError("the server failed to ask about the job; its log says why"))
        return 0.0

    def _late(self, job: WatchedJob) -> None:
        self._failed(job, DeadlineExceededError(f"the job's connector did not answer within {POLL_LIMIT:.0f} s"))

    def _answered(self, job: WatchedJob, registration: Registration, answer: pb.GetTaskResponse) -> None:
        job.count.polls += 1
        is_new = job.answered(answer)
        if not job.ended:
            connector = registration.connector
            job.steered = job.told is not None or getattr(connector, "poll_every", None) is not None
            lease = self._policies.of(registration).lease
            self._again(job, job.pace.after_answer(job.told, connector, lease, random))
        if is_new:
            self._tell(job)

    def _failed(self, job: WatchedJob, error: ConnectorError) -> None:
        job.count.polls += 1
        job.count.failed += 1
        is_new = job.failed(error)
        if not job.ended:
            self._again(job, job.pace.after_trouble(error))
        if is_new:
            self._tell(job)

    def _again(self, job: WatchedJob, wait: float) -> None:
        if job.watchers:
            self._schedule.add(job, wait)

    def _tell(self, job: WatchedJob) -> None:
        job.tell()
        if job.ended:
            self._drop(job)

    def _drop(self, job: WatchedJob) -> None:
        job.ended = True
        job.due = None
        if self._jobs.get(job.key) is job:
            del self._jobs[job.key]
            job.count.jobs -= 1
            job.lane.jobs -= 1

    def _most(self, name: str, version: int) -> int:
        """How many jobs of a category may be polled at once."""
        with suppress(ConnectorError):
            registration = self._route_of(name, version).registration
            if not inspect.iscoroutinefunction(getattr(registration.connector, "get", None)):
                return registration.pool.size
            if self._gates.of(registration) is not None:
                return _MOST_LIMITED
        return _MOST

    def _sweep(self) -> None:
        self._sweeper = None
        for key, lane in list(self._lanes.items()):
            lane.sweep()
            if lane.is_idle:
                del self._lanes[key]
        if self._lanes:
            self._sweeper = asyncio.get_running_loop().call_later(_SWEEP, self._sweep)


def _key(request: pb.GetTaskRequest, handle: bytes) -> JobKey:
    category = request.task_category
    name, version = category.name, category.version
    if not name:
        name, version = request.task_type, 0
    return JobKey(name, version, handle, request.output_prefix, credential_of(connection_of(request)))
