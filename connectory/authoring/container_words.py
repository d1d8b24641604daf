"""What containers have in common wherever they are run: which runtime runs them, and the words of their command."""

import os
import re
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
    """A word in which the container's folders are those of this machine, wherever one is named as a whole."""
    named = {there.rstrip("/"): str(here) for there, here in folders if there.rstrip("/")}
    if not named:
        return word
    longest_first = sorted(named, key=len, reverse=True)
    whole = rf"(?<![\w.-])({'|'.join(map(re.escape, longest_first))})(?![\w.-])"
    return re.sub(whole, lambda match: named[match[1]], word)
