"""What containers have in common wherever they are run: which runtime runs them, and the words of their command."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final

__all__ = ["PROCESS", "RUNTIMES", "RUNTIME_SETTING", "as_texts", "runtime_answers", "with_folders"]

RUNTIME_SETTING: Final = "CONNECTORY_CONTAINER_RUNTIME"
RUNTIMES: Final = ("docker", "podman")
PROCESS: Final = "process"
"""The runtime that is none: the command runs as it is."""


def runtime_answers(runtime: str) -> bool:
    """Whether this machine has the runtime and its server answers."""
    if shutil.which(runtime) is None:
        return False
    try:
        return subprocess.run([runtime, "version"], capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def as_texts(inputs: Mapping[str, Any], root: PurePath) -> dict[str, Any]:
    """Inputs as a command names them: files by where they are below `root`."""
    return {name: str(root / name) if isinstance(value, os.PathLike) else value for name, value in inputs.items()}


def with_folders(word: str, folders: Sequence[tuple[str, PurePath]]) -> str:
    """A word in which the container's folders are those of this machine; the longer name goes first."""
    named = [(there.rstrip("/"), here) for there, here in folders]
    for there, here in sorted(named, key=lambda folder: -len(folder[0])):
        if there:
            word = word.replace(there, str(here))
    return word
