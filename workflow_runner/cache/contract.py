"""Where results of tasks are kept, by key.

A key stands for a task, its cache version and its inputs, so a result under it never becomes wrong, only old. Results
that only one may work out at a time are claimed before: a claim has an owner and an end, and belongs to nobody once
its end has passed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["CacheEntry", "CachedResult", "Claim", "ResultCache"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CachedResult:
    """A result."""

    outputs: bytes
    """A `LiteralMap`."""
    source: str
    """Who worked it out."""
    kept_at: float
    """When, in seconds since 1970 (UTC)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheEntry:
    """That there is a result."""

    key: str
    source: str
    """Who worked it out."""
    kept_at: float
    """When, in seconds since 1970 (UTC)."""
    size: int
    """Of its outputs, in bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """The answer to a claim: the result, or whether the claimant is to work it out."""

    result: CachedResult | None = None
    granted: bool = False


class ResultCache(Protocol):
    """Keeps results. What a finished call wrote survives as the store's other data do; errors are StoreErrors."""

    async def find(self, key: str, *, not_before: float = 0.0) -> CachedResult | None:
        """The result under this key, unless it is older than that."""
        ...

    async def claim(self, key: str, owner: str, *, seconds: float, not_before: float = 0.0) -> Claim:
        """The result, as `find` gives it; without one, the claim to work it out, unless another one holds it now.

        It ends so many seconds from now, by the store's clock. Whoever holds it may claim again, for a later end.
        """
        ...

    async def keep(self, key: str, owner: str, result: CachedResult) -> None:
        """Keep a result in place of an older one, and end the owner's claim to it."""
        ...

    async def release(self, key: str, owner: str) -> None:
        """End the owner's claim, if it has one."""
        ...

    async def entries(self, prefix: str = "", limit: int = 100) -> Sequence[CacheEntry]:
        """The results whose keys begin so, those first that were kept last."""
        ...

    async def clear(self, prefix: str = "") -> int:
        """Forget the results whose keys begin so; how many there were. Claims stay."""
        ...
