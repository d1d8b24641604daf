"""What container tasks of the runner are run by."""

import shutil
import subprocess
from collections.abc import Iterator
from typing import Final

from connectory.authoring.container_words import PROCESS, RUNTIME_SETTING, RUNTIMES
from connectory_cli.doctor.findings import Finding, fail, ok, warn
from connectory_cli.doctor.patient import Patient

__all__ = ["containers"]

_ABOUT: Final = "containers"
_KUBERNETES: Final = "kubernetes"


def containers(patient: Patient) -> Iterator[Finding]:
    """The runtime that is named, or those that are looked for."""
    if patient.address:
        return
    named = patient.environ.get(RUNTIME_SETTING, "")
    if named in (PROCESS, _KUBERNETES):
        yield ok(_ABOUT, f"{RUNTIME_SETTING} is {named}: no container runtime is needed here")
        return
    reasons = []
    for runtime in (named,) if named else RUNTIMES:
        trouble = _trouble(runtime, patient.wait / 2)
        if not trouble:
            yield ok(_ABOUT, f"{runtime} answers")
            return
        reasons.append(f"{runtime} {trouble}")
    if named:
        yield fail(_ABOUT, f"{RUNTIME_SETTING}: {reasons[0]}", "start it, or name another one")
    else:
        yield warn(
            _ABOUT,
            f"container tasks run as plain commands, where their program is here: {', '.join(reasons)}",
            f"start docker or podman, or say with {RUNTIME_SETTING} what runs them",
        )


def _trouble(runtime: str, wait: float) -> str:
    """Why the runtime cannot be used; empty: it can."""
    if shutil.which(runtime) is None:
        return "is not installed"
    try:
        asked = subprocess.run([runtime, "version"], capture_output=True, timeout=wait, check=False)
    except subprocess.TimeoutExpired:
        return f"gave no answer within {wait:g} seconds"
    except OSError as error:
        return f"cannot be started: {error.strerror}"
    return "" if asked.returncode == 0 else "is installed, and its server does not answer"
