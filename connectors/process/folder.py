"""A job on disk: one folder named by the idempotency key, whose `claim` file says who runs the job.

The claim is made by hard link, so it appears once, whole, and by one maker. A folder without a claim is a job that was
not started, whatever became of its creator. To be certain that it never will be, the claim is made void: a supervisor
that is still on its way then finds the place taken.
"""

import hashlib
import os
import secrets
import shutil
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import msgspec

from connectors.process.identity import ProcessIdentity
from connectors.process.references import Reference
from connectors.process.supervisor import CLAIM, RESULT
from connectory.errors import SettingsError

__all__ = ["Claim", "JobFolder", "JobsFolder", "Result", "StoredJob"]

_GONE = ".gone-"


@dataclass(frozen=True, kw_only=True)
class StoredJob:
    """What later calls must know of the task; nothing secret."""

    working_dir: str
    output_prefix: str
    outputs: dict[str, str]
    """The declared outputs: name to kind (see `outputs.py`)."""
    paths: dict[str, str]
    success_exit_codes: list[int]
    retryable_exit_codes: list[int]
    grace_seconds: float
    time_limit_seconds: float | None = None
    secrets: list[Reference] = field(default_factory=list)
    """Which secrets the command was given."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Who runs the job; all zero: nobody ever will."""

    pid: int = 0
    start: int = 0
    boot: str = ""

    @property
    def is_void(self) -> bool:
        """Whether the claim only keeps supervisors away."""
        return self.pid == 0

    @property
    def supervisor(self) -> ProcessIdentity:
        """The supervisor's process."""
        return ProcessIdentity(pid=self.pid, start=self.start, boot=self.boot)


@dataclass(frozen=True, kw_only=True)
class Result:
    """How the command ended."""

    code: int
    """Its exit code; negative: the signal that ended it."""
    reason: str
    """Why it was told to end: "time_limit", "cancelled", "lost" (its supervisor died); empty: it was not."""
    error: int
    """The number of the operating system's error when it could not be started at all; 0: it was."""
    cpu_seconds: float
    memory_bytes: int
    ended: float


class JobFolder:
    """One job's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def job_id(self) -> str:
        """The job's name, the same for the same key."""
        return self.path.name

    def make(self) -> None:
        """Create the folder unless it exists."""
        self.path.mkdir(mode=0o700, exist_ok=True)

    def exists(self) -> bool:
        """Whether there is anything of the job."""
        return self.path.is_dir()

    def claim(self) -> Claim | None:
        """Who runs the job; None: nobody yet."""
        data = self._read(CLAIM)
        return None if data is None else msgspec.json.decode(data, type=Claim)

    def seal(self) -> Claim:
        """Make the claim void unless somebody has it. The answer is the claim that holds from now on."""
        self._put_once(CLAIM, msgspec.json.encode(Claim()))
        claim = self.claim()
        return Claim() if claim is None else claim

    def store(self, job: StoredJob) -> None:
        """Write down what later calls must know."""
        own = self.path / f"job.{secrets.token_hex(4)}"
        own.write_bytes(msgspec.json.encode(job))
        own.replace(self.path / "job.json")

    def stored(self) -> StoredJob | None:
        """What was written down."""
        data = self._read("job.json")
        return None if data is None else msgspec.json.decode(data, type=StoredJob)

    def result(self) -> Result | None:
        """How the command ended; None: it did not, as far as is known."""
        data = self._read(RESULT)
        return None if data is None else msgspec.json.decode(data, type=Result)

    def put_result(self, reason: str) -> None:
        """Write a result in place of a supervisor that died; one that is there already stays."""
        result = Result(code=0, reason=reason, error=0, cpu_seconds=0.0, memory_bytes=0, ended=time.time())
        self._put_once(RESULT, msgspec.json.encode(result))

    def discard(self) -> None:
        """Remove the folder. Whoever still works in it works on something that nobody finds."""
        gone = self.path.with_name(f"{_GONE}{secrets.token_hex(8)}")
        try:
            self.path.rename(gone)
        except FileNotFoundError:
            return
        shutil.rmtree(gone, ignore_errors=True)

    def has_ended_before(self, moment: float) -> bool:
        """Whether nothing runs in the folder and nothing did since the moment."""
        try:
            newest = max(entry.stat().st_mtime for entry in (self.path, *self.path.iterdir()))
        except FileNotFoundError:
            return False
        claim = self.claim()
        running = claim is not None and self.result() is None and claim.supervisor.is_alive()
        return newest < moment and not running

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.path / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _put_once(self, name: str, data: bytes) -> None:
        own = self.path / f"{name}.{secrets.token_hex(4)}"
        own.write_bytes(data)
        try:
            os.link(own, self.path / name)
        except FileExistsError:
            return
        finally:
            own.unlink()


class JobsFolder:
    """The folder of all jobs."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> None:
        """Make the folder, for this user only, unless it is there. Somebody else's folder is a `SettingsError`."""
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            owner, writable = self._path.stat().st_uid, os.access(self._path, os.W_OK | os.X_OK)
        except OSError as error:
            raise SettingsError(f"CONNECTORY_PROCESS_DIR: cannot make {self._path}: {error.strerror}") from error
        if owner != os.getuid() or not writable:
            text = f"CONNECTORY_PROCESS_DIR: {self._path} must belong to the server's user and be writable"
            raise SettingsError(f"{text} (it belongs to user {owner}, the server runs as {os.getuid()})")

    def require_usable(self) -> None:
        """Raise what `open` would raise; makes nothing."""
        if self._path.exists():
            self.open()
            return
        above = next(folder for folder in self._path.parents if folder.exists())
        if not os.access(above, os.W_OK | os.X_OK):
            raise SettingsError(f"CONNECTORY_PROCESS_DIR: cannot make {self._path}: {above} cannot be written to")

    def of_key(self, key: str) -> JobFolder:
        """The folder of the job created under this key."""
        return self.of_job(hashlib.sha256(key.encode()).hexdigest()[:32])

    def of_job(self, job_id: str) -> JobFolder:
        """The folder of a job by its name."""
        return JobFolder(self._path / job_id)

    def prune(self, keep: timedelta) -> None:
        """Remove what ended longer ago than `keep`, and what an interrupted removal left."""
        moment = time.time() - keep.total_seconds()
        for path in self._path.iterdir():
            if path.name.startswith(_GONE):
                shutil.rmtree(path, ignore_errors=True)
            elif path.is_dir() and JobFolder(path).has_ended_before(moment):
                JobFolder(path).discard()
