"""What can go wrong with one call of an external system."""

from dataclasses import dataclass

__all__ = ["Fault"]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One call goes wrong like this; the parts can be combined."""

    delay: float = 0.0
    """Seconds that the answer takes longer."""
    status: int = 0
    """This HTTP status instead of doing what was asked for, such as 500 or 429; 0: it is done."""
    retry_after: float | None = None
    """Seconds for the answer's Retry-After."""
    lost: bool = False
    """What was asked for is done, and the connection ends before the answer."""
