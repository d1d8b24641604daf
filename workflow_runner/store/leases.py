"""Which runner drives which execution.

An owner is a runner for as long as its store is open. It is believed to live until its lease ends, which it puts off
again and again; an execution is free when nobody holds it, or when the lease of its owner has ended. Time is the
store's, so clocks of machines that differ change nothing.

One statement renews the lease of an owner for all that it holds, however much that is.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from connectory.errors import StoreError

__all__ = ["Holder", "LeaseBook", "LeaseHeldError"]


class LeaseHeldError(StoreError):
    """Another runner, which is believed to live, drives this execution."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """An owner, and for how many seconds it is believed to live if it does not renew its lease."""

    owner: str
    seconds_left: float


class LeaseBook(Protocol):
    """Keeps leases on behalf of one owner. Repetition of a call changes nothing."""

    @property
    def owner(self) -> str:
        """Whom this book speaks for."""
        ...

    async def renew(self, seconds: float) -> Collection[str]:
        """Be believed to live for so many seconds from now; the unfinished executions that this owner holds."""
        ...

    async def take(self, execution_id: str, *, instead_of: str = "") -> Holder | None:
        """Hold an unfinished execution if it is free, or held by `instead_of`.

        Returns who holds it afterwards; None when nobody does, because it has ended or is unknown. A lease must have
        been renewed before, or somebody else takes it at once.
        """
        ...

    async def take_free(self, limit: int, *, except_for: Collection[str] = ()) -> Sequence[str]:
        """Hold some of the unfinished executions that are free, those first that have waited longest."""
        ...

    async def let_go(self, execution_ids: Collection[str]) -> None:
        """Hold these executions no longer; they are free."""
        ...

    async def others(self) -> Sequence[Holder]:
        """The other owners that hold unfinished executions, those included whose lease has ended."""
        ...

    async def bury(self, owner: str) -> None:
        """End the lease of an owner that is known to be gone."""
        ...

    async def resign(self) -> None:
        """Let go of everything and end the lease."""
        ...
