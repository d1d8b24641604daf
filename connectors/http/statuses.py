"""What a status means to the task: success, try again later, or an error of its own."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from connectory.errors import ConnectorError, RateLimitedError, UnavailableError, UserError
from connectory.web import StatusSet

__all__ = ["error_for", "retry_after"]

_EXCERPT = 500


def error_for(status: int, headers: Mapping[str, str], body: str, *, shown: str, retry: StatusSet) -> ConnectorError:
    """The error for an unexpected status; `shown` names the request, `body` is the answer's text without secrets."""
    excerpt = body if len(body) <= _EXCERPT else f"{body[:_EXCERPT]} ..."
    message = f"{shown} answered {status}{_location(headers, status)}" + (f": {excerpt}" if excerpt.strip() else "")
    reason = f"HTTP_{status}"
    if status not in retry:
        return UserError(message, reason=reason)
    kind = RateLimitedError if status == 429 else UnavailableError
    return kind(message, reason=reason, retry_after=retry_after(headers, datetime.now(UTC)))


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the answer asks to wait (RFC 9110, 10.2.3): seconds or a date; None when it says nothing usable."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return timedelta(seconds=min(int(value), 86_400))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta(0)), timedelta(days=1))


def _location(headers: Mapping[str, str], status: int) -> str:
    if 300 <= status < 400 and "location" in headers:
        return " with a redirect, and custom.redirects does not allow one (more)"
    return ""
