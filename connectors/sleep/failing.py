"""Turning a configured failure into the error that a caller or a job sees."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from connectors.sleep.config import ErrorName, Failure, Moment
from connectory.connector.contract import JobError, Phase, Resource
from connectory.errors import (
    AmbiguousError,
    ConnectorError,
    DeadlineExceededError,
    InvalidTaskError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
    UserError,
)

__all__ = ["CallCounter", "applicable", "failed", "raised"]

_ERRORS: Final[Mapping[ErrorName, type[ConnectorError]]] = {
    "user": UserError,
    "invalid_task": InvalidTaskError,
    "not_found": NotFoundError,
    "unauthenticated": UnauthenticatedError,
    "permission_denied": PermissionDeniedError,
    "rate_limited": RateLimitedError,
    "unavailable": UnavailableError,
    "deadline_exceeded": DeadlineExceededError,
    "ambiguous": AmbiguousError,
}


class CallCounter:
    """How often each call on each job has failed so far; it remembers the latest `size` of them."""

    def __init__(self, size: int = 10_000) -> None:
        self._size = size
        self._counts: OrderedDict[tuple[str, int], int] = OrderedDict()

    def take(self, job: str, index: int, limit: int) -> bool:
        """Count one more failure of the job's failure number `index`, unless there were `limit` already."""
        count = self._counts.pop((job, index), 0)
        self._counts[job, index] = min(count + 1, limit)
        if len(self._counts) > self._size:
            self._counts.popitem(last=False)
        return count < limit


def applicable(
    failures: Sequence[Failure], moment: Moment, *, attempt: int, job: str, counter: CallCounter
) -> Failure | None:
    """The first failure that happens at this moment of this attempt."""
    for index, failure in enumerate(failures):
        if failure.at != moment or (failure.attempts is not None and attempt >= failure.attempts):
            continue
        if moment == "end" or failure.calls is None or counter.take(job, index, failure.calls):
            return failure
    return None


def raised(failure: Failure) -> Exception:
    """The exception that a call raises."""
    kind = _ERRORS.get(failure.error)
    if kind is None:
        return RuntimeError(failure.message)
    wait = None if failure.retry_after is None else timedelta(seconds=failure.retry_after)
    return kind(failure.message, retry_after=wait)


def failed(failure: Failure) -> Resource:
    """How the job reports that it ended with this failure."""
    kind = _ERRORS.get(failure.error)
    recoverable = kind is not None and kind.retryable
    return Resource(
        phase=Phase.RETRYABLE_FAILED if recoverable else Phase.FAILED,
        message=failure.message,
        error=JobError(
            code=kind.default_reason if kind else "DEFECT",
            message=failure.message,
            kind="user" if kind in (UserError, InvalidTaskError) else "system",
            recoverable=recoverable,
        ),
    )
