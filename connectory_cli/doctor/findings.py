"""What a check finds."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Level", "fail", "ok", "warn"]


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """It works; whoever operates it should know."""
    FAIL = "fail"
    """It does not work, or will soon not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One sentence about one thing; everything that is not in order says what to do."""

    level: Level
    about: str
    """What was looked at: a setting, a file, an address, a connector."""
    message: str
    remedy: str = ""


def ok(about: str, message: str) -> Finding:
    """In order."""
    return Finding(level=Level.OK, about=about, message=message)


def warn(about: str, message: str, remedy: str) -> Finding:
    """It works, but."""
    return Finding(level=Level.WARN, about=about, message=message, remedy=remedy)


def fail(about: str, message: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(level=Level.FAIL, about=about, message=message, remedy=remedy)
