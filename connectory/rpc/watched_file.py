"""A file that is read again when it changes, so that whoever rotates what it holds restarts nothing."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from connectory.errors import SettingsError

__all__ = ["WatchedFile", "stamp_of"]

T = TypeVar("T")


class WatchedFile(Generic[T]):
    """What a file holds now, or held when it could last be used.

    `read` raises an OSError or a SettingsError for what cannot be used: at the start it comes out, later `complain` is
    told and the last good content stays. The file is looked at every `check_every` seconds at most; 0: each time.
    """

    def __init__(
        self,
        path: Path,
        read: Callable[[Path], T],
        complain: Callable[[OSError | SettingsError], None],
        *,
        check_every: float = 0.0,
    ) -> None:
        self._path = path
        self._read = read
        self._complain = complain
        self._check_every = check_every
        self._checked = time.monotonic()
        self._seen = stamp_of(self._path)
        self._content = read(path)

    def content(self) -> T:
        """What counts now."""
        now = time.monotonic()
        if now - self._checked < self._check_every:
            return self._content
        self._checked = now
        stamp = stamp_of(self._path)
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._content = self._read(self._path)
            except (OSError, SettingsError) as error:
                self._complain(error)
        return self._content


def stamp_of(path: Path) -> tuple[int, int, int]:
    """What is different once a file has changed; zeros when it cannot be looked at."""
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_size, status.st_ino)
