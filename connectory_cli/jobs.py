"""`connectory jobs`: the jobs of running connector servers."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import uvloop
from google.protobuf.timestamp_pb2 import Timestamp

from connectory.client.jobs import JobClient
from connectory.errors import InvalidTaskError, NotFoundError
from connectory.v1 import execution_pb2
from connectory.v1 import jobs_pb2 as pb
from connectory_cli.printing import print_json, print_table
from connectory_cli.reaching import Reach, reach_from

__all__ = ["JobFilter", "Servers", "delete_jobs", "list_jobs", "reap_jobs", "settle_job", "show_job"]

T = TypeVar("T")

DEFAULT: Final = "127.0.0.1:8000"
_EVERY_STATE: Final = tuple(value for value in pb.Job.State.values() if value != pb.Job.UNSPECIFIED)


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Which servers are asked, and how they are reached."""

    endpoints: Sequence[str]
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_name: str = ""
    timeout: float = 60.0
    """Seconds."""

    @asynccontextmanager
    async def client(self, endpoint: str) -> AsyncIterator[JobClient]:
        """A client of one of them."""
        async with self.reach.jobs(endpoint, timeout=self.timeout) as client:
            yield client

    @property
    def reach(self) -> Reach:
        """How they are reached."""
        return reach_from(ca=self.tls_ca, certificate=self.tls_cert, key=self.tls_key, server_name=self.tls_name)

    @property
    def all(self) -> Sequence[str]:
        """The endpoints, with the default filled in."""
        return self.endpoints or [DEFAULT]


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """Which jobs are listed."""

    states: Sequence[str] = ()
    every_state: bool = False
    category: str = ""
    execution: str = ""
    orphans: bool = False
    limit: int = 1000

    def request(self) -> pb.ListJobsRequest:
        """The same for a server."""
        states = _EVERY_STATE if self.every_state else [_state(name) for name in self.states]
        return pb.ListJobsRequest(states=states, category=self.category, execution=self.execution, orphans=self.orphans)


def list_jobs(servers: Servers, wanted: JobFilter, as_json: bool) -> int:
    """Print jobs in the order of their keys; one that several servers remember is printed once."""

    async def ask() -> dict[str, pb.Job]:
        found: dict[str, pb.Job] = {}
        for endpoint in servers.all:
            async with servers.client(endpoint) as client:
                async for job in client.jobs(wanted.request(), most=wanted.limit):
                    found.setdefault(job.key, job)
        return found

    found = uvloop.run(ask())
    jobs = [found[key] for key in sorted(found)][: wanted.limit]
    if as_json:
        print_json([_facts(job) for job in jobs])
        return 0
    titles = ["key", "category", "state", "phase", "age", "polled", "execution"]
    print_table(titles, [_row(job) for job in jobs])
    return 0


def show_job(servers: Servers, key: str, as_json: bool) -> int:
    """Print one job."""
    job = uvloop.run(_first(servers, lambda client: client.job(key)))
    if as_json:
        print_json(_facts(job))
        return 0
    for name, value in _facts(job).items():
        if value not in (None, ""):
            sys.stdout.write(f"{name}: {value}\n")
    return 0


def delete_jobs(servers: Servers, keys: Sequence[str], as_json: bool) -> int:
    """End jobs, and print each once its connector confirmed it."""

    async def delete(key: str) -> pb.Job:
        try:
            await _first(servers, lambda client: client.job(key))
        except NotFoundError:
            raise NotFoundError(
                f"no job is known under the key {key!r}; `jobs list --all` tells the known ones"
            ) from None
        return await _first(servers, lambda client: _deleted(client, key))

    async def delete_all() -> list[pb.Job]:
        return [await delete(key) for key in keys]

    jobs = uvloop.run(delete_all())
    if as_json:
        print_json([_facts(job) for job in jobs])
    else:
        for job in jobs:
            sys.stdout.write(f"{job.key} {_name(pb.Job.State, job.state)}\n")
    return 0 if all(job.state == pb.Job.DELETED for job in jobs) else 1


def reap_jobs(servers: Servers, dry_run: bool, as_json: bool) -> int:
    """Have abandoned jobs dealt with, and print what was done; exit code 1 when something could not be done yet."""

    async def ask() -> list[pb.ReapedJob]:
        reaped = []
        for endpoint in servers.all:
            async with servers.client(endpoint) as client:
                reaped += await client.reap(dry_run=dry_run)
        return reaped

    reaped = uvloop.run(ask())
    outcomes = [_name(pb.ReapedJob.Outcome, one.outcome) for one in reaped]
    if as_json:
        together = zip(reaped, outcomes, strict=True)
        print_json([{**_facts(one.job), "outcome": outcome, "message": one.message} for one, outcome in together])
    else:
        rows = [
            [one.job.key, _category(one.job), outcome, one.message]
            for one, outcome in zip(reaped, outcomes, strict=True)
        ]
        print_table(["key", "category", "would be" if dry_run else "outcome", "message"], rows)
    return 1 if any(one.outcome == pb.ReapedJob.FAILED_FOR_NOW for one in reaped) else 0


def settle_job(servers: Servers, key: str, handle: str | None) -> int:
    """Tell what became of an ambiguous create: its job's handle as JSON, or None: there is no job."""
    given = None if handle is None else handle.encode()

    async def settle(client: JobClient) -> None:
        await client.settle(key, given)

    uvloop.run(_first(servers, settle))
    sys.stdout.write(f"{key} settled\n")
    return 0


async def _first(servers: Servers, ask: Callable[[JobClient], Awaitable[T]]) -> T:
    """The answer of the first server that knows the job."""
    unknown: NotFoundError | None = None
    for endpoint in servers.all:
        async with servers.client(endpoint) as client:
            try:
                return await ask(client)
            except NotFoundError as error:
                unknown = error
    assert unknown is not None
    raise unknown


async def _deleted(client: JobClient, key: str) -> pb.Job:
    await client.job(key)
    return await client.delete(key)


def _state(name: str) -> pb.Job.State.ValueType:
    try:
        return pb.Job.State.Value(name.upper())
    except ValueError:
        known = ", ".join(_name(pb.Job.State, state) for state in _EVERY_STATE)
        raise InvalidTaskError(f"{name!r} is no state of a job; there are: {known}") from None


def _name(enum: Any, number: int) -> str:
    return str(enum.Name(number)).lower() if number in enum.values() else str(number)


def _category(job: pb.Job) -> str:
    return f"{job.category.name}@{job.category.version}" if job.HasField("category") else ""


def _phase(job: pb.Job) -> str:
    return _name(execution_pb2.TaskExecution.Phase, job.phase) if job.phase else ""


def _row(job: pb.Job) -> list[str]:
    state = _name(pb.Job.State, job.state) + (" (orphan)" if job.orphan else "")
    polled = _age(job.seen_at) if job.HasField("seen_at") else "never"
    return [job.key, _category(job), state, _phase(job), _age(job.created_at), polled, job.execution]


def _age(moment: Timestamp) -> str:
    seconds = max((datetime.now(UTC) - moment.ToDatetime(UTC)).total_seconds(), 0.0)
    if seconds < 120:
        return f"{seconds:.0f}s"
    return f"{seconds / 60:.0f}m" if seconds < 7200 else f"{seconds / 3600:.0f}h"


def _time(job: pb.Job, field: str) -> str | None:
    moment: Timestamp = getattr(job, field)
    return moment.ToDatetime(UTC).isoformat() if job.HasField(field) else None  # type: ignore[arg-type]


def _facts(job: pb.Job) -> Mapping[str, Any]:
    return {
        "key": job.key,
        "category": _category(job),
        "state": _name(pb.Job.State, job.state),
        "orphan": job.orphan,
        "phase": _phase(job),
        "execution": job.execution,
        "handle": job.resource_meta.decode(errors="replace"),
        "created_at": _time(job, "created_at"),
        "seen_at": _time(job, "seen_at"),
        "lease_until": _time(job, "lease_until"),
        "reason": job.reason,
    }
