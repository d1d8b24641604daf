"""Which jobs were deleted, known to every server process of a machine and after a restart.

A sleep job is nothing but its handle, so what ended it early has to be written down: an empty file per deleted job in
the machine's temporary folder.
"""

import os
import tempfile
from pathlib import Path

__all__ = ["AbortedJobs", "default_folder"]


def default_folder() -> Path:
    """The folder of this user's deleted sleep jobs in the machine's temporary folder."""
    return Path(tempfile.gettempdir()) / f"connectory-sleep-{os.getuid()}"


class AbortedJobs:
    """The deleted jobs, by id; `id` is hexadecimal."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, job: str) -> None:
        """Remember that the job was deleted."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._folder / job).touch()

    def __contains__(self, job: str) -> bool:
        return (self._folder / job).exists()
