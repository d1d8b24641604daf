"""A job's log in pages: what the command wrote to its standard output, then to its standard error.

A token says how far both files were read, so the same token always goes on at the same place.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from connectory.connector.contract import LogLine, LogPage
from connectory.errors import InvalidTaskError

__all__ = ["pages"]

_NAMES: Final = ("stdout", "stderr")
_PAGE_BYTES: Final = 65536
"""A page's size, and the longest line; a longer one is cut."""
_LINE: Final = re.compile(rb"[^\n]*\n|[^\n]+")
_TOKEN: Final = re.compile(r"(\d{1,18})\.(\d{1,18})")


def pages(folder: Path, token: str, lines: int | None, *, ended: bool, newest: int | None = None) -> Iterator[LogPage]:
    """The pages from the token on that are there now, of at most `lines` lines in all.

    The last line of a file, without a line break, is taken only when the job has `ended`. With `newest` at least the
    last so many lines come, and what is long before them does not.
    """
    offsets = list(_offsets(token))
    if newest is not None:
        offsets = [_near_end(folder / name, offset, newest) for name, offset in zip(_NAMES, offsets, strict=True)]
    left = lines
    for place, name in enumerate(_NAMES):
        while left is None or left > 0:
            found, size = _read(folder / name, offsets[place], left, ended=ended)
            if not found:
                break
            offsets[place] += size
            left = None if left is None else left - len(found)
            yield LogPage(lines=[LogLine(message=text) for text in found], token=f"{offsets[0]}.{offsets[1]}")


def _offsets(token: str) -> tuple[int, int]:
    if not token:
        return 0, 0
    match = _TOKEN.fullmatch(token)
    if match is None:
        text = f"{token!r} is no token of this log; use one from an earlier page, or none to begin at the start"
        raise InvalidTaskError(text, fields={"token": text})
    return int(match[1]), int(match[2])


def _near_end(path: Path, begin: int, lines: int) -> int:
    """Where a line begins after which there are at least so many, as near to the end as blocks are read backwards."""
    try:
        with path.open("rb") as file:
            at, found = file.seek(0, os.SEEK_END), 0
            while at > begin and found <= lines:
                step = min(_PAGE_BYTES, at - begin)
                at -= step
                file.seek(at)
                found += file.read(step).count(b"\n")
            file.seek(at)
            return begin if at <= begin else at + file.read(_PAGE_BYTES).find(b"\n") + 1
    except FileNotFoundError:
        return begin


def _read(path: Path, offset: int, lines: int | None, *, ended: bool) -> tuple[list[str], int]:
    """Some whole lines from the offset on, and how many bytes they take."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(_PAGE_BYTES)
    except FileNotFoundError:
        return [], 0
    parts = _LINE.findall(data)
    if parts and not parts[-1].endswith(b"\n") and not _is_cut(parts, data, ended=ended):
        parts.pop()
    parts = parts[:lines]
    return [part.rstrip(b"\r\n").decode("utf-8", "replace") for part in parts], sum(map(len, parts))


def _is_cut(parts: list[bytes], data: bytes, *, ended: bool) -> bool:
    """Whether the unfinished last part is to be taken: it fills a page by itself, or nothing will follow it."""
    full = len(data) == _PAGE_BYTES
    return (full and len(parts) == 1) or (ended and not full)
