"""Which service an attempt's job was asked of: written down before it is asked, and looked at before another one is.

A create happens once because its service remembers the key. Another one, with another ledger, does not know the key:
asked for the job it makes a second one, and asked to delete it it ends nothing.
"""

import time

from connectory.errors import ConnectorError, ConnectoryError, NotFoundError, UnavailableError
from workflow_runner.plugins.contract import NotConfirmableError, TaskExecutionContext
from workflow_runner.plugins.knowledge import ConnectorJob, JobKnowledge
from workflow_runner.plugins.patience import Patience
from workflow_runner.plugins.requests import category_of
from workflow_runner.plugins.routes import UNKNOWN_CATEGORY, Route
from workflow_runner.plugins.services import Service

__all__ = [
    "OtherServiceError",
    "asked_before",
    "created",
    "doubted",
    "in_the_end",
    "is_sure",
    "require_same",
    "write_down",
]


class OtherServiceError(UnavailableError):
    """A job was asked of one service, and another one is there in its place."""

    default_reason = "OTHER_SERVICE"


def asked_before(ctx: TaskExecutionContext, memory: JobKnowledge) -> Service | None:
    """The service that has, or may have, made the attempt's job; None: none has, as far as is known."""
    kept = ctx.state.read(ConnectorJob)
    if kept is None or kept.unanswered:
        if memory.asked is not None:
            return memory.asked if memory.may_exist or ctx.resumed else None
        if not ctx.resumed:
            return None
    return _first(ctx) if kept is None or kept.asked is None else kept.asked


async def write_down(ctx: TaskExecutionContext, memory: JobKnowledge, service: Service) -> None:
    """Remember, before it is asked, that this service is asked for the attempt's job.

    That costs nothing where the execution has asked it before.
    """
    if memory.asked is not None and memory.asked.is_same_as(service):
        return
    first = await ctx.services.remember(str(category_of(ctx)), service)
    if not first.is_same_as(service) or ctx.state.read(ConnectorJob) is not None:
        ctx.state.write(ConnectorJob(handle=b"", asked=service, unanswered=True))
        await ctx.state.keep()
    memory.asked = service


def created(handle: bytes, ctx: TaskExecutionContext, service: Service) -> ConnectorJob:
    """What is remembered of a job that this service has made."""
    first = _first(ctx)
    return ConnectorJob(handle=handle, asked=None if first is None or first.is_same_as(service) else service)


def require_same(ctx: TaskExecutionContext, asked: Service | None, route: Route) -> None:
    """Raise unless the service there may be asked for the attempt's job."""
    if not route.is_readable and not route.is_sync:
        text = f"the service at {route.client.target} cannot read its ledger now, so it is asked for no job"
        raise UnavailableError(text, reason="LEDGER")
    if asked is not None and not asked.is_same_as(route.service):
        raise _elsewhere(asked, route.service)


def is_sure(memory: JobKnowledge, asked: Service | None, there: Service) -> bool:
    """Whether the service there knows of the job, so that it is to be believed when it says that there is none."""
    known = (asked, memory.seen_at)
    return asked is None or any(each is not None and each.is_same_as(there) for each in known)


def doubted(error: ConnectorError, memory: JobKnowledge, asked: Service | None, route: Route | None) -> ConnectorError:
    """The error, or, when it says that there is no such job and comes from another service, that this says nothing."""
    says_gone = isinstance(error, NotFoundError) and error.reason != UNKNOWN_CATEGORY
    if not says_gone or asked is None or route is None or is_sure(memory, asked, route.service):
        return error
    return _elsewhere(asked, route.service)


def in_the_end(
    error: OtherServiceError,
    ctx: TaskExecutionContext,
    memory: JobKnowledge,
    asked: Service | None,
    patience: Patience,
) -> ConnectoryError:
    """The same error for a while, in which the right service may be there again; then one that nothing is confirmed."""
    now = time.monotonic()
    memory.elsewhere_since = now if memory.elsewhere_since is None else memory.elsewhere_since
    if now - memory.elsewhere_since <= patience.elsewhere:
        return error
    there = f" --connectors {asked.target}" if asked is not None and asked.target else ""
    return NotConfirmableError(f"{error.message}; end it there with: connectory jobs delete {ctx.key}{there}")


def _first(ctx: TaskExecutionContext) -> Service | None:
    return ctx.services.of(str(category_of(ctx)))


def _elsewhere(asked: Service, there: Service) -> OtherServiceError:
    """The error that says which service is to be named."""
    here = f"the one at {there.target}" if there.target else "the connector server inside of this runner"
    if asked.target:
        remedy = f"name --connectors {asked.target}, or where that service is now"
    else:
        remedy = "leave --connectors out, so that the connector server inside of the runner is used again"
    return OtherServiceError(f"{remedy}: the job was asked of it, and {here} has another ledger and cannot know")
