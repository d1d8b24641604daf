"""Where a program keeps what has to outlive it, when nothing else is said."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

__all__ = ["state_folder"]


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """`CONNECTORY_HOME`, or the folder for state that the platform gives a user. Nothing is made.

    Without a home, as in many containers, it is below the folder for temporary files.
    """
    if given := environ.get("CONNECTORY_HOME", ""):
        return Path(given).absolute()
    if state := environ.get("XDG_STATE_HOME", ""):
        return Path(state) / "connectory"
    if home := environ.get("HOME", ""):
        return Path(home) / ".local" / "state" / "connectory"
    return Path(tempfile.gettempdir()) / f"connectory-{os.getuid()}"
