"""What the server processes of one machine know of their SQL jobs: a file per job, written only by the job's owner.

The owner is a server process; it holds a lock for as long as it lives, so the others see when it is gone.
"""

import fcntl
import os
import secrets
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from connectors.sql.engines.contract import FailureKind
from connectory.connector.contract import Phase
from connectory.errors import SettingsError

__all__ = ["JobRecord", "Records"]

_KEEP_SECONDS: Final = 7 * 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """A job as its owner last wrote it."""

    owner: str
    phase: int = int(Phase.QUEUED)
    message: str = ""
    code: str = ""
    kind: FailureKind = "user"
    rows: int | None = None
    outputs: bytes = b""
    """The serialized LiteralMap of a job that succeeded."""

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended."""
        return Phase(self.phase).is_terminal


class Records:
    """The folder of all records, and this process's place among the owners."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: int | None = None
        self._owner = ""

    def open(self) -> str:
        """Make the folder and take this process's lock; the answer is this process's name among the owners."""
        if self._owner:
            return self._owner
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            owner = f"{os.getpid()}-{secrets.token_hex(8)}"
            unlocked = self._folder / f"{owner}.new"
            lock = os.open(unlocked, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            unlocked.rename(unlocked.with_suffix(".owner"))
        except OSError as error:
            raise SettingsError(f"CONNECTORY_SQL_DIR: cannot use {self._folder}: {error.strerror}") from error
        self._lock, self._owner = lock, owner
        self._prune()
        return owner

    def require_usable(self) -> None:
        """Raise when jobs cannot be recorded; makes nothing."""
        above = next(folder for folder in (self._folder, *self._folder.parents) if folder.exists())
        if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
            raise SettingsError(f"CONNECTORY_SQL_DIR: cannot use {self._folder}: {above} cannot be written to")

    def close(self) -> None:
        """Stop being an owner."""
        if self._lock is not None:
            os.close(self._lock)
            shutil.rmtree(self._folder / "work" / self._owner, ignore_errors=True)
            (self._folder / f"{self._owner}.owner").unlink(missing_ok=True)
        self._lock, self._owner = None, ""

    def is_alive(self, owner: str) -> bool:
        """Whether the server process still runs."""
        if owner == self._owner:
            return True
        try:
            with open(self._folder / f"{owner}.owner", "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def add(self, job_id: str, record: JobRecord) -> bool:
        """Write the first record of a job. False: there is one already."""
        own = self._write_beside(job_id, record)
        try:
            os.link(own, self._path(job_id))
        except FileExistsError:
            return False
        finally:
            own.unlink()
        return True

    def update(self, job_id: str, record: JobRecord) -> None:
        """Replace the record."""
        self._write_beside(job_id, record).replace(self._path(job_id))

    def change(self, job_id: str, **fields: Any) -> JobRecord | None:
        """Replace some fields of the record, if there is one."""
        record = self.read(job_id)
        if record is None:
            return None
        changed = replace(record, **fields)
        self.update(job_id, changed)
        return changed

    def read(self, job_id: str) -> JobRecord | None:
        """The record; None: nothing is known."""
        try:
            return msgspec.json.decode(self._path(job_id).read_bytes(), type=JobRecord)
        except FileNotFoundError:
            return None

    def remove(self, job_id: str) -> None:
        """Forget the job."""
        self._path(job_id).unlink(missing_ok=True)
        self._request(job_id).unlink(missing_ok=True)

    def request_cancel(self, job_id: str) -> None:
        """Ask the job's owner, another process, to cancel it."""
        self._request(job_id).touch()

    def is_cancel_requested(self, job_id: str) -> bool:
        """Whether another process asked for it."""
        return self._request(job_id).exists()

    def working_folder(self) -> Path:
        """Where this process's jobs keep what they need while they run; what dies with it is removed by a later one."""
        folder = self._folder / "work" / self.open()
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def result_folder(self, job_id: str) -> Path:
        """Where a result stays that has no output prefix to go to."""
        return self._folder / "results" / job_id

    def _write_beside(self, job_id: str, record: JobRecord) -> Path:
        own = self._folder / f"{job_id}.{secrets.token_hex(4)}"
        own.write_bytes(msgspec.json.encode(record))
        return own

    def _path(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.json"

    def _request(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.cancel"

    def _prune(self) -> None:
        """Remove what nobody has touched for a week, and the locks of owners that are gone."""
        moment = time.time() - _KEEP_SECONDS
        for path in self._folder.iterdir():
            if path.suffix == ".owner":
                gone = not self.is_alive(path.stem)
            else:
                gone = path.is_file() and path.stat().st_mtime < moment
            if gone:
                path.unlink(missing_ok=True)
        for folder in self._folder.glob("work/*"):
            if not self.is_alive(folder.name):
                shutil.rmtree(folder, ignore_errors=True)
