"""Deleting the job of an attempt, and seeing that it is gone."""

import time
from contextlib import suppress

import msgspec

from connectory.errors import (
    AmbiguousError,
    ConnectorError,
    InvalidTaskError,
    NotFoundError,
    UnavailableError,
    UnsupportedError,
)
from connectory.rpc.access.reasons import NOT_LET_IN
from workflow_runner.plugins.asking import created, doubted, is_sure
from workflow_runner.plugins.contract import NotConfirmableError, TaskExecutionContext
from workflow_runner.plugins.knowledge import ConnectorJob, JobKnowledge
from workflow_runner.plugins.outcomes import info_of_resource
from workflow_runner.plugins.patience import Patience
from workflow_runner.plugins.requests import create_request, delete_request, get_request
from workflow_runner.plugins.routes import UNKNOWN_CATEGORY, Route
from workflow_runner.plugins.services import Service
from workflow_runner.plugins.troubles import PASSING

__all__ = ["delete_job", "learn_job"]

_GONE = "GONE"
"""The reason of a NotFoundError by a connector that is certain: nothing of the job runs any more, whoever made it."""


async def learn_job(ctx: TaskExecutionContext, route: Route, patience: Patience) -> ConnectorJob | None:
    """Find out whether there is a job, by asking the service that was asked for it once more under the same key.

    A service that does not let the runner in says nothing about the job, so its refusal is raised.
    """
    try:
        response = await route.client.create(create_request(ctx), timeout=patience.call)
    except PASSING:
        raise
    except AmbiguousError as error:
        raise NotConfirmableError(error.message) from error
    except ConnectorError as error:
        if error.reason in NOT_LET_IN:
            raise
        return None
    return created(response.resource_meta, ctx, route.service)


async def delete_job(
    ctx: TaskExecutionContext,
    route: Route,
    job: ConnectorJob,
    known: JobKnowledge,
    patience: Patience,
    asked: Service | None,
) -> None:
    """Delete the job. Returns once it is reported as ended, or as unknown by the service that was `asked` for it; any
    error means that it is to be called again, but for NotConfirmableError.
    """
    client = route.client
    ctx.state.write(job)
    if not is_sure(known, asked, route.service):
        with suppress(ConnectorError):
            await client.get(get_request(ctx, job.handle), timeout=patience.call)
            known.seen_at = route.service
    try:
        if not job.deleted:
            await client.delete(delete_request(ctx, job.handle), timeout=patience.call)
            job = msgspec.structs.replace(job, deleted=True)
            ctx.state.write(job)
        if known.deleted_at is None:
            known.deleted_at = time.monotonic()
        response = await client.get(get_request(ctx, job.handle), timeout=patience.call)
    except NotFoundError as error:
        if error.reason == _GONE:
            return
        if error.reason == UNKNOWN_CATEGORY:
            raise
        if (doubt := doubted(error, known, asked, route)) is not error:
            raise doubt from error
        return
    except (InvalidTaskError, UnsupportedError) as error:
        if job.deleted and is_sure(known, asked, route.service):
            return
        raise NotConfirmableError(f"its deletion was refused: {error.message}") from error
    if info_of_resource(response.resource).phase.is_terminal:
        return
    waited = time.monotonic() - known.deleted_at
    if waited > patience.confirmation:
        raise NotConfirmableError(f"its deletion was accepted {waited:.0f} s ago, yet it is reported as running")
    ctx.state.write(msgspec.structs.replace(job, deleted=False))
    raise UnavailableError("the job was deleted and is still reported as running")
