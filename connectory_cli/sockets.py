"""Folders for the sockets of servers inside, gone with their process however it ends."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["socket_folder"]

_PREFIX: Final = "connectory-inside-"
_UNNAMED: Final = "connectory-begun-"
_SHORT: Final = Path("/tmp")
_LENGTH_WITHIN: Final = len(f"/{_PREFIX}abcdefgh/connectors.sock")
_LONGEST: Final = 107
"""So many bytes may the path of a unix socket have."""


@contextmanager
def socket_folder() -> Iterator[Path]:
    """A folder in the temporary one that only this user can enter.

    A process that was killed could not remove its own: it is removed by the next one of the same user.
    """
    above = _place()
    _remove_those_of_the_dead(above)
    made = tempfile.mkdtemp(prefix=_UNNAMED, dir=above)
    descriptor = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Named only now, so that another process never finds it without its lock.
        folder = Path(made.replace(_UNNAMED, _PREFIX))
        Path(made).rename(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def _place() -> Path:
    """The temporary folder, or the system's where the names of sockets would be too long."""
    usual = Path(tempfile.gettempdir())
    fits = len(os.fsencode(usual)) + _LENGTH_WITHIN <= _LONGEST
    return usual if fits or not os.access(_SHORT, os.W_OK | os.X_OK) else _SHORT


def _remove_those_of_the_dead(above: Path) -> None:
    for folder in above.glob(f"{_PREFIX}*"):
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_uid == os.getuid():
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
        finally:
            os.close(descriptor)
