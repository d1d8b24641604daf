"""What a job that succeeded leaves: known without the libraries that produced it."""

from dataclasses import dataclass
from typing import Final

__all__ = ["MARKER", "Outcome"]

MARKER: Final = "_SUCCESS.json"
"""The file beside a result that says that it is whole and committed."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A result that is stored and committed; as JSON it is the marker beside it."""

    rows: int
    outputs: bytes
    """The serialized LiteralMap."""
