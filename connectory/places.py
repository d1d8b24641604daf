"""Where a program keeps what has to outlive it, when nothing else is said."""

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from connectory.errors import SettingsError

__all__ = ["state_folder"]

_REMEDY: Final = "set CONNECTORY_HOME to a folder of your own"


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """`CONNECTORY_HOME`, or the folder for state that the platform gives a user. Neither is made.

    Without a home, as in many containers, it is below the folder for temporary files. That one is made, so that nobody
    else does; if somebody has, it is a `SettingsError`.
    """
    if given := environ.get("CONNECTORY_HOME", ""):
        return Path(given).absolute()
    if state := environ.get("XDG_STATE_HOME", ""):
        return Path(state) / "connectory"
    if home := environ.get("HOME", ""):
        return Path(home) / ".local" / "state" / "connectory"
    return _for_this_user_only(Path(tempfile.gettempdir()) / f"connectory-{os.getuid()}")


def _for_this_user_only(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise SettingsError(f"{folder} cannot be made: {error.strerror}; {_REMEDY}") from None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise SettingsError(f"{folder} is not this user's alone, so what is kept there is not safe; {_REMEDY}")
    return folder
