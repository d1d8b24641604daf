"""Code of tasks that comes as an archive, so that a registered version stays what it was."""

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from connectory.authoring.own_container import variables_of
from connectory.errors import SettingsError
from connectory.storage import Storage
from connectory.storage.archives import extract
from connectory.v1 import tasks_pb2

__all__ = ["CODE_VARIABLE", "SEARCH_PATH", "code_of", "prune_code", "unpacked"]

CODE_VARIABLE: Final = "CONNECTORY_CODE"
"""The variable of a task's container that holds the URL of an archive with its modules."""
SEARCH_PATH: Final = "PYTHONPATH"
_AT_WORK: Final = 3600.0


def code_of(template: tasks_pb2.TaskTemplate) -> str:
    """Where the code of a task is, as far as its template says: the same text means the same modules."""
    return "\n".join(value for name, value in variables_of(template).items() if name in (SEARCH_PATH, CODE_VARIABLE))


def unpacked(url: str, storage: Storage) -> Path:
    """The folder of this machine with the content of an archive, which is never changed under its URL."""
    folder = _cache() / hashlib.sha256(url.encode()).hexdigest()[:32]
    with contextlib.suppress(OSError):  # it is not there yet
        os.utime(folder)  # so that it is known to be in use
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=folder.parent) as making:
            complete = extract(url, Path(making) / "code", storage)
            with contextlib.suppress(OSError):  # another process was quicker
                complete.rename(folder)
    return folder


def prune_code(before: float, *, dry_run: bool = False) -> Sequence[Path]:
    """Remove what has not been asked for since then (seconds since 1970), nor within an hour.

    It is unpacked again when it is needed; what was asked for lately may be at work.
    """
    before = min(before, time.time() - _AT_WORK)
    unused = [folder for folder in _cache().iterdir() if folder.stat().st_mtime < before]
    for folder in () if dry_run else unused:
        shutil.rmtree(folder, ignore_errors=True)
    return unused


def _cache() -> Path:
    """A folder that nobody else can write to."""
    folder = Path(tempfile.gettempdir()) / f"connectory-code-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o022 or not stat.S_ISDIR(status.st_mode):
        raise SettingsError(f"the folder {folder} belongs to, or can be written by, somebody else; remove it")
    return folder
