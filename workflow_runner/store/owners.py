"""Names of owners; they say of what process they are, so that others on its machine can tell when it is gone."""

import os
import secrets
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["describe_owner", "is_gone", "new_owner"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Process:
    host: str
    pid: int
    start: str
    """When it began, in the kernel's own words; empty: the kernel does not tell."""
    machine: str
    """The machine since it was started, and the part of it that sees this process under this number."""


def new_owner() -> str:
    """A name for a runner in this process that nothing else has."""
    pid = os.getpid()
    host = socket.gethostname().replace("/", "_")
    return f"{host}/{pid}/{_start(pid) or ''}/{_machine()}/{secrets.token_hex(4)}"


def is_gone(owner: str) -> bool:
    """Whether the owner's process is known to have ended; of processes elsewhere nothing is known."""
    process = _parse(owner)
    if process is None or process.machine != _machine():
        return False
    start = _start(process.pid)
    return start is None or start != process.start


def describe_owner(owner: str) -> str:
    """The owner in a message."""
    process = _parse(owner)
    return f"the runner with process id {process.pid} on {process.host}" if process is not None else repr(owner)


def _parse(owner: str) -> _Process | None:
    parts = owner.split("/")
    if len(parts) != 5 or not parts[1].isdecimal():
        return None
    return _Process(host=parts[0], pid=int(parts[1]), start=parts[2], machine=parts[3])


@cache
def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}.{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return f"host.{socket.gethostname()}".replace("/", "_")


def _start(pid: int) -> str | None:
    """When a process began; None: there is none of this number that still runs."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None if Path("/proc/self/stat").exists() else _signalled(pid)
    state, start = fields[0], fields[19]
    return None if state in "ZX" else start


def _signalled(pid: int) -> str | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return ""
    return ""
