"""What one look found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

__all__ = ["Finding"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one look found. A look that failed, for now or for ever, raises an error instead."""

    met: bool
    """Whether the wait is over."""
    message: str
    """What was seen, without secrets."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Values that outputs may have, by name."""
    look_again: timedelta | None = None
    """When the next look is worth it; None: after the poll interval."""
    is_failed: bool = False
    """Whether nothing could be seen, for now."""
