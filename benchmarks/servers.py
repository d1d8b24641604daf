"""The servers under measurement: each a process of its own on a unix socket, its CPU time read from the kernel."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SERVERS", "Server", "cpu_seconds", "resident_megabytes", "started"]

ROOT = Path(__file__).parents[1]
PEER = ROOT / ".venv-flytekit" / "bin" / "python"


@dataclass(frozen=True, kw_only=True)
class Server:
    """How to start a server, and the names under which it answers."""

    name: str
    command: tuple[str, ...]
    """The address becomes its last word; `{folder}` in it is a folder for files of the process."""
    package: str
    async_service: str
    sync_service: str
    socket_is_path: bool = False


OURS = {"package": "connectory.v1", "async_service": "AsyncConnectorService", "sync_service": "SyncConnectorService"}
FLYTE = {"package": "flyteidl.service", "async_service": "AsyncAgentService", "sync_service": "SyncAgentService"}
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""With bytecode, as programs are installed: otherwise a start measures Python's compiler."""

_SERVE = (sys.executable, "-m", "connectory_cli", "serve", "--log-format=json", "--module=benchmarks.connector")

SERVERS = (
    Server(name="floor", command=(sys.executable, "-m", "benchmarks.floor"), **OURS),
    Server(
        name="connectory",
        command=(*_SERVE, "--uds"),
        socket_is_path=True,
        **OURS,
    ),
    Server(name="ledger off", command=(*_SERVE, "--ledger=none", "--uds"), socket_is_path=True, **OURS),
    Server(
        name="ledger sqlite",
        command=(*_SERVE, "--ledger={folder}/ledger.sqlite", "--uds"),
        socket_is_path=True,
        **OURS,
    ),
    Server(name="flytekit", command=(str(PEER), str(ROOT / "benchmarks" / "flytekit_peer.py")), **FLYTE),
)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _tree(int(child))


def cpu_seconds(pid: int) -> float:
    """Time on a processor of all threads of a process and its descendants, in seconds, by the scheduler's own count."""
    nanoseconds = 0
    for process in _tree(pid):
        for task in Path(f"/proc/{process}/task").iterdir():
            nanoseconds += int((task / "schedstat").read_text().split()[0])
    return nanoseconds / 1e9


def resident_megabytes(pid: int) -> float:
    """Resident memory of a process and its descendants, in MB."""
    total = 0
    for process in _tree(pid):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total / 1024


@contextmanager
def started(server: Server, folder: Path) -> Iterator[tuple[int, str]]:
    """Start the server; yields its process id and its address. It is stopped at the end."""
    socket = folder / f"{server.name}.sock"
    address = f"unix:{socket}"
    process = subprocess.Popen(
        [
            *(word.replace("{folder}", str(folder)) for word in server.command),
            str(socket) if server.socket_is_path else address,
        ],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**_ENVIRONMENT, "FLYTE_SDK_LOGGING_LEVEL": "50"},
    )
    try:
        yield process.pid, address
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
