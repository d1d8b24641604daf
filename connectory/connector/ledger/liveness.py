"""Whether the process that wrote something still lives, told by a file lock that ends with the process."""

import contextlib
import fcntl
import os
import secrets
from pathlib import Path

__all__ = ["Owner"]


class Owner:
    """This process (or one of several parts of it) as the owner of what it writes.

    The lock is taken before the owner's name is written anywhere, and the kernel releases it however the process ends.
    So a name whose file is not locked belongs to somebody who is gone; no lease has to run out.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self.name = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._file = os.open(folder / self.name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def is_alive(self, name: str) -> bool:
        """Whether the owner of this name still holds its lock."""
        if name == self.name:
            return True
        path = self._folder / name
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            path.unlink(missing_ok=True)
            return False
        finally:
            os.close(file)

    def close(self) -> None:
        """Give the name up."""
        with contextlib.suppress(FileNotFoundError):
            (self._folder / self.name).unlink()
        os.close(self._file)
