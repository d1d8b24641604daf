"""Which checks there are, and a run of them against one address."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import grpc

from connectory.client.channel import ClientTls
from connectory.errors import NotFoundError, UnauthenticatedError, UnavailableError
from connectory.testing.wire import (
    configs,
    creating,
    ending,
    executing,
    hiding,
    listing,
    meanwhile,
    outside,
    reading,
    sizes,
    skew,
    watching,
)
from connectory.testing.wire.outcomes import BrokenError, Check, NotApplicableError, Outcome, Result
from connectory.testing.wire.peer import Peer
from connectory.testing.wire.session import Session
from connectory.testing.wire.subject import Subject

__all__ = ["JOB_CHECKS", "SYNC_CHECKS", "is_sync", "opened", "run_check", "run_checks"]

JOB_CHECKS: tuple[Check, ...] = (
    *listing.CHECKS,
    *creating.CHECKS,
    *ending.CHECKS,
    *configs.CHECKS,
    *skew.CHECKS,
    *sizes.CHECKS,
    *reading.CHECKS,
    *watching.CHECKS,
    *meanwhile.CHECKS,
    *hiding.CHECKS,
    *outside.CHECKS,
    *hiding.SHARED,
)
"""For connectors that start jobs."""
SYNC_CHECKS: tuple[Check, ...] = (*listing.CHECKS, *executing.CHECKS, *hiding.SHARED)
"""For connectors that do their work within one call."""


async def run_checks(
    target: str,
    subject: Subject,
    *,
    tls: ClientTls | None = None,
    metadata: Iterable[tuple[str, str]] = (),
    only: Iterable[str] = (),
) -> AsyncIterator[Result]:
    """Every check that fits the connector, one after the other; those named in `only`, if any are.

    `target` is `unix:/path` or `host:port`. Raises `UnavailableError` when nobody answers there,
    `UnauthenticatedError` when it wants a token (`metadata`) and got no good one, `NotFoundError` when the server has
    no connector for the task, or when `only` names a check that does not exist.
    """
    wanted = set(only)
    async with opened(target, subject, tls=tls, metadata=metadata) as session:
        await _require_connector(session)
        checks = SYNC_CHECKS if await is_sync(session) else JOB_CHECKS
        unknown = sorted(wanted - {check.name for check in checks})
        if unknown:
            names = ", ".join(check.name for check in checks)
            raise NotFoundError(f"there is no check {', '.join(unknown)} for this connector; there are: {names}")
        for check in checks:
            if not wanted or check.name in wanted:
                yield await run_check(session, check)


@asynccontextmanager
async def opened(
    target: str, subject: Subject, *, tls: ClientTls | None = None, metadata: Iterable[tuple[str, str]] = ()
) -> AsyncIterator[Session]:
    """A session with the server; its jobs are deleted at the end."""
    peer = Peer(target, tls=tls, metadata=metadata)
    try:
        answer = await peer.find_family(timeout=subject.call_limit)
        if answer.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
            raise UnavailableError(f"nobody answers at {target}: {answer}")
        if answer.code is grpc.StatusCode.UNAUTHENTICATED:
            remedy = "the command brings that of CONNECTORY_TOKEN_FILE or CONNECTORY_TOKEN, `run_checks` its metadata"
            raise UnauthenticatedError(f"{target} does not let the checks in: {answer}; {remedy}")
        session = Session(peer, subject)
        try:
            yield session
        finally:
            await session.clean()
    finally:
        await peer.close()


async def _require_connector(session: Session) -> None:
    """One that is not listed may still answer, which is for a check to say; one that nobody knows is not checked."""
    known, category = await listing.offered(session), str(session.task.category)
    if known is None or category in known:
        return
    created = await session.create(session.create_request(session.key()))
    if created.code is grpc.StatusCode.NOT_FOUND:
        raise NotFoundError(
            f"{session.peer.target} has no connector for {category}; it lists: {', '.join(sorted(known)) or 'none'}"
        )


async def is_sync(session: Session) -> bool:
    """Whether the server lists the task's connector as one that works within one call."""
    try:
        connector = await listing.listed(session)
    except BrokenError:
        return False
    return connector is not None and connector.is_sync


async def run_check(session: Session, check: Check) -> Result:
    """One check to its end; it never raises for what the server does."""
    started = time.monotonic()
    outcome, detail = Outcome.PASSED, ""
    limit = session.subject.time_limit + 4 * session.subject.call_limit
    try:
        async with asyncio.timeout(limit):
            await check.run(session)
    except BrokenError as error:
        outcome, detail = Outcome.FAILED, str(error)
    except NotApplicableError as error:
        outcome, detail = Outcome.SKIPPED, str(error)
    except TimeoutError:
        outcome, detail = Outcome.FAILED, f"it was not done within {limit:g} seconds"
    finally:
        await session.clean()
    seconds = time.monotonic() - started
    return Result(name=check.name, promise=check.promise, outcome=outcome, detail=detail, seconds=seconds)
