"""From what a cluster's API answers, when it does not do what it was asked, to the errors of this project."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from connectory.errors import (
    AlreadyExistsError,
    ConnectorError,
    InvalidTaskError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
)

__all__ = ["refusal"]

_QUOTA: Final = re.compile(r"exceeded quota", re.IGNORECASE)
_MOMENT: Final = timedelta(seconds=10)


def refusal(code: int, status: Mapping[str, Any], retry_after: str = "") -> ConnectorError:
    """The error for an HTTP status, with the `Status` object that came with it (empty: none did)."""
    text = status.get("message") or f"HTTP status {code}"
    message = f"Kubernetes: {text}"
    if code in (400, 422):
        return InvalidTaskError(message, reason="INVALID_JOB", fields=_fields(status))
    if code == 401:
        remedy = "the server's credentials for the cluster are missing, wrong or too old"
        return UnauthenticatedError(f"{message}; {remedy}")
    if code == 403 and _QUOTA.search(text):
        return RateLimitedError(message, reason="QUOTA_EXCEEDED", retry_after=_pause(status, retry_after))
    if code == 403:
        return PermissionDeniedError(f"{message}; the operator grants it by a Role", reason="FORBIDDEN")
    if code == 404:
        return NotFoundError(message)
    if code == 409:
        return AlreadyExistsError(message)
    if code == 429:
        return RateLimitedError(message, retry_after=_pause(status, retry_after))
    return UnavailableError(message, retry_after=_pause(status, retry_after) if retry_after else None)


def _fields(status: Mapping[str, Any]) -> dict[str, str]:
    causes = (status.get("details") or {}).get("causes") or ()
    return {cause["field"]: cause.get("message", "") for cause in causes if cause.get("field")}


def _pause(status: Mapping[str, Any], retry_after: str) -> timedelta:
    if retry_after.isdecimal():
        return timedelta(seconds=int(retry_after))
    seconds = (status.get("details") or {}).get("retryAfterSeconds")
    return timedelta(seconds=seconds) if seconds else _MOMENT
