"""What came back, and how far one exchange may go."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Answer", "Limits"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How far one exchange may go."""

    timeout: float
    """Seconds for all of it."""
    redirects: int = 0
    """How many are followed."""
    max_bytes: int
    """The largest body that is kept in memory."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A response whose body was read: into memory, or into the file that was asked for."""

    status: int
    headers: dict[str, str]
    """By lower-case name; several of one name are joined by ", "."""
    content: bytes
    file: Path | None = None
    encoding: str = "utf-8"

    @property
    def text(self) -> str:
        """The body as text; what is no text in its encoding is replaced."""
        return self.content.decode(self.encoding, errors="replace")
