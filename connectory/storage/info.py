"""What is known about an object."""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["ObjectInfo"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectInfo:
    """What is known about an object without reading it."""

    url: str
    size: int
    etag: str | None = None
    modified: datetime | None = None
    """When it was written last (aware, UTC)."""
