"""A container's log in pages. A token is the time of the last line, and how many lines of that time were read."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from connectory.connector.contract import LogLine, LogPage
from connectory.errors import InvalidTaskError

__all__ = ["LogToken", "pages"]

_TOKEN: Final = re.compile(r"(?P<time>[0-9T:.Z+-]{20,40})/(?P<lines>\d{1,9})")
_NANOSECONDS: Final = re.compile(r"(\.\d{6})\d*")
_PAGE_LINES: Final = 500
_CLOCKS_APART: Final = 300
"""How many seconds the clocks of this machine and of the pod's node may differ."""


@dataclass(frozen=True, kw_only=True)
class LogToken:
    """A position in a log."""

    time: str = ""
    lines: int = 0

    @classmethod
    def read(cls, text: str) -> "LogToken":
        """The position that a token says; empty: the beginning."""
        match = _TOKEN.fullmatch(text)
        if text and match is None:
            raise InvalidTaskError(f"the log token {text!r} is not one of this connector's", fields={"token": text})
        return cls() if match is None else cls(time=match["time"], lines=int(match["lines"]))

    def __str__(self) -> str:
        return f"{self.time}/{self.lines}" if self.time else ""

    def since_seconds(self, now: datetime) -> int | None:
        """How far back the log must be read again to find this position; None: from its beginning."""
        if not self.time:
            return None
        return max(1, int((now - _time(self.time)).total_seconds()) + _CLOCKS_APART)

    def after(self, time: str) -> "LogToken":
        """The position after one more line, of this time."""
        return LogToken(time=time, lines=self.lines + 1 if time == self.time else 1)


async def pages(lines: AsyncIterator[str], begin: LogToken, most: int | None) -> AsyncIterator[LogPage]:
    """The lines after the position `begin`, at most so many in all."""
    found: list[LogLine] = []
    position = begin
    passed = LogToken()
    count = 0
    async for line in lines:
        if most is not None and count >= most:
            break
        time, _, text = line.partition(" ")
        if begin.time and _order(time) <= _order(begin.time):
            passed = passed.after(time)
            if time != begin.time or passed.lines <= begin.lines:
                continue
        position = position.after(time)
        found.append(LogLine(message=text, timestamp=_time(time)))
        count += 1
        if len(found) == _PAGE_LINES:
            yield LogPage(lines=found, token=str(position))
            found = []
    if found:
        yield LogPage(lines=found, token=str(position))


def _order(time: str) -> tuple[str, str]:
    """Times as texts that sort: a fraction of a second may be written shorter."""
    whole, _, fraction = time.removesuffix("Z").partition(".")
    return whole, fraction.ljust(9, "0")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(_NANOSECONDS.sub(r"\1", text)).astimezone(UTC)
