"""What the operator decides about processes, read from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from connectory.errors import PermissionDeniedError, SettingsError
from connectory.places import state_folder

__all__ = ["ProcessSettings"]

DEFAULT_KEEP_HOURS = 168.0


@dataclass(frozen=True, kw_only=True)
class ProcessSettings:
    """Where jobs are kept, which executables may run, and how long ended jobs are kept."""

    folder: Path
    """CONNECTORY_PROCESS_DIR: every job has a folder in this one."""
    allow: tuple[str, ...] | None = None
    """CONNECTORY_PROCESS_ALLOW: patterns of absolute paths of executables, separated by ":"; None: everything."""
    keep: timedelta = timedelta(hours=DEFAULT_KEEP_HOURS)
    """CONNECTORY_PROCESS_KEEP_HOURS: how long the folder of an ended job, with its logs, stays."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "ProcessSettings":
        """The settings that these environment variables say."""
        folder = environ.get("CONNECTORY_PROCESS_DIR", "")
        allow = environ.get("CONNECTORY_PROCESS_ALLOW")
        return cls(
            folder=Path(folder).absolute() if folder else state_folder(environ) / "process",
            allow=None if allow is None else tuple(filter(None, (part.strip() for part in allow.split(":")))),
            keep=timedelta(hours=_hours(environ.get("CONNECTORY_PROCESS_KEEP_HOURS", ""))),
        )

    def check_allowed(self, executable: str) -> None:
        """Raise unless the operator lets this executable (an absolute path) run."""
        if self.allow is None or any(fnmatchcase(executable, pattern) for pattern in self.allow):
            return
        text = (
            f"{executable} is not among the executables that may run here "
            f"({':'.join(self.allow) or 'none'}); the operator adds it to CONNECTORY_PROCESS_ALLOW"
        )
        raise PermissionDeniedError(text, reason="EXECUTABLE_NOT_ALLOWED", fields={"command": text})


def _hours(text: str) -> float:
    if not text:
        return DEFAULT_KEEP_HOURS
    try:
        hours = float(text)
    except ValueError:
        hours = -1.0
    if not 0 <= hours < 1e6:
        raise SettingsError(f"CONNECTORY_PROCESS_KEEP_HOURS is {text!r}; it must be a number of hours, such as 168")
    return hours
