"""Private folders for the sockets of connectors' processes, and what is done about those that nobody could remove."""

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Final

__all__ = ["PrivateFolder", "remove_abandoned"]

_PREFIX: Final = "connectory-apart-"
_LOCK: Final = "lock"
_LONGEST: Final = 70
"""In characters; the path of a socket in it must stay below a hundred."""


class PrivateFolder:
    """A new folder for this user only. It is locked as long as this process lives."""

    def __init__(self) -> None:
        self.path = Path(mkdtemp(prefix=_PREFIX, dir=_base()))
        new = self.path / "new"
        self._lock = os.open(new, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        new.rename(self.path / _LOCK)

    def remove(self) -> None:
        """Take it away, with everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def remove_abandoned() -> None:
    """Take away the folders of servers that were killed together with the processes of their connectors."""
    for lock in Path(_base()).glob(f"{_PREFIX}*/{_LOCK}"):
        with suppress(OSError), open(lock, "rb", opener=_without_waiting) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)


def _without_waiting(path: str, flags: int) -> int:
    """Open what may be somebody else's: a pipe that nobody writes to would be waited for."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)


def _base() -> str:
    usual = gettempdir()
    return usual if len(usual) <= _LONGEST else "/tmp"
