"""From how a command ended to what the caller is told."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from connectors.process.folder import Result, StoredJob
from connectory.connector.contract import JobError, Phase, Resource

__all__ = ["ending", "failed"]

_TAIL_BYTES: Final = 2048
_TAIL_LINES: Final = 10
_FROM_OUTSIDE: Final = (signal.SIGKILL, signal.SIGTERM)
"""Signals that a command does not get from its own defects: somebody else, or a machine short of memory, sent them."""


def ending(result: Result, job: StoredJob, folder: Path, info: Mapping[str, Any]) -> Resource | None:
    """What to report when the command did not succeed; None: it did."""
    if result.reason == "cancelled":
        return Resource(phase=Phase.ABORTED, message="cancelled", custom_info=info)
    if result.reason == "lost":
        text = "the job's supervisor died before the command's end was known (a restarted machine, or it was killed)"
        return failed("SupervisorLost", text, info, kind="system", retry=True)
    if result.reason == "time_limit":
        text = f"ended after its time limit of {job.time_limit_seconds:g} s"
        return failed("TimeLimit", _with_tail(text, folder), info)
    if result.error:
        return failed("CannotStart", f"the command cannot be started: {os.strerror(result.error)}", info)
    if result.code in job.success_exit_codes:
        return None
    if result.code >= 0:
        retry = result.code in job.retryable_exit_codes
        return failed("ExitCode", _with_tail(f"exit code {result.code}", folder), info, retry=retry)
    outside = -result.code in _FROM_OUTSIDE
    text = _with_tail(f"ended by {_signal_name(-result.code)}", folder)
    return failed("Signal", text, info, kind="system" if outside else "user", retry=outside)


def failed(code: str, message: str, info: Mapping[str, Any], *, kind: Any = "user", retry: bool = False) -> Resource:
    """A failed job's report."""
    phase = Phase.RETRYABLE_FAILED if retry else Phase.FAILED
    error = JobError(code=code, message=message, kind=kind, recoverable=retry)
    return Resource(phase=phase, message=message, error=error, custom_info=info)


def _with_tail(text: str, folder: Path) -> str:
    tail = _tail(folder / "stderr")
    return f"{text}: {tail}" if tail else text


def _tail(path: Path) -> str:
    """The last lines of a file, clipped."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            data = file.read()
    except FileNotFoundError:
        return ""
    return "\n".join(data.decode("utf-8", "replace").strip().splitlines()[-_TAIL_LINES:])


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
