"""How a sensor job ended, written down once: a job that ended never changes again, whatever happens to what it saw.

The verdict is a small object under the job's output prefix, so every server process and replica knows it. Without an
output prefix it is a file in this machine's temporary folder.
"""

import os
import tempfile
from pathlib import Path
from typing import Any, Literal

import msgspec

from connectors.sensor.job import SensorJob
from connectory.connector.contract import Phase
from connectory.errors import StorageError
from connectory.storage import ObjectExistsError, ObjectNotFoundError, Storage

__all__ = ["Verdict", "read", "record"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a job."""

    phase: Phase
    message: str
    facts: dict[str, Any] = {}
    """What was seen, as JSON."""
    code: str = ""
    """For programs: why the job failed."""
    kind: Literal["user", "system"] = "user"
    """Who caused the failure."""


def read(job: SensorJob, storage: Storage) -> Verdict | None:
    """How the job ended, or None while it waits."""
    url = _url(job, storage)
    try:
        return msgspec.json.decode(storage.read(url), type=Verdict)
    except ObjectNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise StorageError(f"{url} is no verdict of a sensor: {error}") from error


def record(job: SensorJob, verdict: Verdict, storage: Storage) -> Verdict:
    """Write the job's end down, and return the one that counts: the first."""
    url = _url(job, storage)
    try:
        storage.write(url, msgspec.json.encode(verdict), if_absent=True)
    except ObjectExistsError:
        return read(job, storage) or verdict
    return verdict


def _url(job: SensorJob, storage: Storage) -> str:
    job.check_id()
    folder = job.prefix or str(Path(tempfile.gettempdir()) / f"connectory-sensor-{os.getuid()}")
    return storage.join(folder, f"sensor-{job.id}.json")
