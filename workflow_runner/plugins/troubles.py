"""What it means for an attempt that a connector service did not do what it was asked."""

import time
from typing import Final

from connectory.errors import (
    ConnectorError,
    DeadlineExceededError,
    InvalidTaskError,
    NotFoundError,
    RateLimitedError,
    UnavailableError,
    UnsupportedError,
)
from connectory.rpc.access.reasons import TOKEN_REFUSED
from workflow_runner.plugins.contract import TaskExecutionContext
from workflow_runner.plugins.knowledge import JobKnowledge
from workflow_runner.plugins.outcomes import failure_of_error
from workflow_runner.plugins.patience import LONGEST_PAUSE, Patience
from workflow_runner.plugins.phases import PhaseInfo, Transition, do_transition
from workflow_runner.plugins.routes import UNKNOWN_CATEGORY
from workflow_runner.plugins.services import Service

__all__ = ["PASSING", "not_begun", "not_known"]

PASSING: Final = (UnavailableError, DeadlineExceededError, RateLimitedError)
"""What may mend itself; so may a refused token, which is read again when whoever rotates it has changed its file."""


def not_begun(
    ctx: TaskExecutionContext, memory: JobKnowledge, asked: Service | None, error: ConnectorError, patience: Patience
) -> Transition:
    """No job is known yet: ask again under the same key, or give up. A service may have been `asked` for it before."""
    elsewhere = asked is not None and error.reason == UNKNOWN_CATEGORY
    if not (elsewhere or isinstance(error, PASSING) or error.reason == TOKEN_REFUSED):
        return do_transition(failure_of_error(error))
    wait = _wait(memory, error, patience)
    info = PhaseInfo.waiting_for_resources(f"{error.message}; asking again in {wait:.1f} s")
    if isinstance(error, RateLimitedError):
        memory.last_good = time.monotonic()
    elif (silent := time.monotonic() - memory.last_good) > patience.start:
        message = f"could not be started for {silent:.0f} s: {error.message}"
        live = memory.may_exist or ctx.resumed
        info = PhaseInfo.permanent_failure(error.reason, message, kind="system", live=live)
    return do_transition(info, again_in=wait)


def not_known(memory: JobKnowledge, error: ConnectorError, patience: Patience) -> Transition:
    """There is a job, but not how it stands: ask again, or give up. A poll that fails is not a job that failed."""
    if isinstance(error, NotFoundError) and error.reason != UNKNOWN_CATEGORY:
        message = f"the job is gone: {error.message}"
        return do_transition(PhaseInfo.retryable_failure("JOB_NOT_FOUND", message, kind="system"))
    if isinstance(error, InvalidTaskError | UnsupportedError):
        info = PhaseInfo.permanent_failure(error.reason, error.message, kind="system", live=True)
        return do_transition(info)
    wait = _wait(memory, error, patience)
    if isinstance(error, RateLimitedError):
        memory.last_good = time.monotonic()
    elif (silent := time.monotonic() - memory.last_good) > patience.silence:
        message = f"no good answer for {silent:.0f} s; the last one: {error.message}"
        return do_transition(PhaseInfo.retryable_failure(error.reason, message, kind="system", live=True))
    return do_transition(PhaseInfo.running(f"{error.message}; asking again in {wait:.1f} s"), again_in=wait)


def _wait(memory: JobKnowledge, error: ConnectorError, patience: Patience) -> float:
    memory.failures += 1
    wait = min(patience.first_retry * 2.0 ** min(memory.failures - 1, 30), patience.slowest_retry)
    told = error.retry_after.total_seconds() if error.retry_after is not None else 0.0
    return max(wait, min(told, LONGEST_PAUSE if isinstance(error, RateLimitedError) else patience.longest_told))
