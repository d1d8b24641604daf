"""The parts of a query that matter for binding: code, quoted text, quoted names, comments."""

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["Part", "PartKind", "parts_of"]


class PartKind(enum.Enum):
    """What a part of a query is."""

    CODE = "code"
    TEXT = "quoted text"
    NAME = "a quoted name"
    COMMENT = "a comment"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a query; the parts of a query in their order are the query."""

    kind: PartKind
    text: str


_SPECIAL: Final = re.compile(
    r"""
      (?P<escaped>(?<![\w$])[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z))
    | (?P<text>'(?:[^']|'')*(?:'|\Z))
    | (?P<name>"(?:[^"]|"")*(?:"|\Z)|`[^`]*(?:`|\Z))
    | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<dollar>(?<![\w$])\$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z))
    """,
    re.VERBOSE | re.DOTALL,
)

_KINDS: Final = {
    "escaped": PartKind.TEXT,
    "text": PartKind.TEXT,
    "name": PartKind.NAME,
    "comment": PartKind.COMMENT,
    "dollar": PartKind.TEXT,
}


def parts_of(query: str) -> Iterator[Part]:
    """The parts of a query. What is opened and never closed reaches to the query's end."""
    end = 0
    for match in _SPECIAL.finditer(query):
        if match.start() > end:
            yield Part(PartKind.CODE, query[end : match.start()])
        kind = next(kind for group, kind in _KINDS.items() if match[group] is not None)
        yield Part(kind, match[0])
        end = match.end()
    if end < len(query):
        yield Part(PartKind.CODE, query[end:])
