"""What a check is, and how it ends."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectory.testing.wire.session import Session

__all__ = ["BrokenError", "Check", "NotApplicableError", "Outcome", "Result", "require"]


class BrokenError(Exception):
    """The contract does not hold; the text says what was seen."""


class NotApplicableError(Exception):
    """The check says nothing about this connector; the text says why, and what it would need."""


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One sentence of the contract and how it is tried."""

    name: str
    promise: str
    """The sentence of the contract."""
    run: Callable[["Session"], Awaitable[None]]
    """Raises `BrokenError` or `NotApplicableError`."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """How one check ended."""

    name: str
    promise: str
    outcome: Outcome
    detail: str = ""
    """What was seen of a failed check; why a skipped one does not apply."""
    seconds: float = 0.0


def require(holds: object, seen: str) -> None:
    """Raise `BrokenError` with what was seen unless it holds."""
    if not holds:
        raise BrokenError(seen)
