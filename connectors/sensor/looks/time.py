"""Has the moment come?"""

from datetime import UTC, datetime, timedelta

from connectors.sensor.config import TimeCheck
from connectors.sensor.filling import Filling
from connectors.sensor.finding import Finding
from connectory.errors import InvalidTaskError

__all__ = ["look"]


def look(check: TimeCheck, filling: Filling, *, started: float, now: float) -> Finding:
    """Compare the clock with the moment."""
    moment = started + check.after if check.after is not None else _moment(filling.text(check.at))
    shown = datetime.fromtimestamp(moment, UTC).isoformat()
    if now < moment:
        return Finding(met=False, message=f"waiting for {shown}", look_again=timedelta(seconds=moment - now))
    return Finding(met=True, message=f"{shown} has come")


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _invalid(f"{text!r} is not a moment in ISO 8601, such as 2030-01-31T09:00:00Z") from None
    if moment.tzinfo is None:
        raise _invalid(f"{text!r} does not say its offset from UTC; end it with Z or +HH:MM")
    try:
        timestamp = moment.timestamp()
        datetime.fromtimestamp(timestamp, UTC)
    except (ValueError, OverflowError):
        raise _invalid(f"{text!r} is, in UTC, in no year from 1 to 9999") from None
    return timestamp


def _invalid(problem: str) -> InvalidTaskError:
    return InvalidTaskError(f"custom.time.at: {problem}", fields={"custom.time.at": problem})
