"""The servers under measurement: each a process of its own on a unix socket, its CPU time read from the kernel."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["SERVERS", "Server", "collecting", "cpu_seconds", "resident_megabytes", "started"]

ROOT = Path(__file__).parents[1]
PEER = ROOT / ".venv-flytekit" / "bin" / "python"
PEER_2 = ROOT / ".venv-flyte2" / "bin" / "python"
TOKEN = "the-benchmarks-own-token"
OPERATIONS = ("CreateTask", "GetTask", "DeleteTask", "ExecuteTaskSync")


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
    operations: tuple[str, ...] = OPERATIONS
    """What it can be asked."""
    metadata: tuple[tuple[str, str], ...] = ()
    """What calls to it bring along."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """`{folder}` as in the command, `{collector}` is the port of a collector of telemetry."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Written into the folder before it starts."""


OURS: Any = {
    "package": "connectory.v1",
    "async_service": "AsyncConnectorService",
    "sync_service": "SyncConnectorService",
}
FLYTE: Any = {"package": "flyteidl.service", "async_service": "AsyncAgentService", "sync_service": "SyncAgentService"}
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""With bytecode, as programs are installed: otherwise a start measures Python's compiler."""

_MODULES = ("--module=benchmarks.connector", "--module=benchmarks.blocking")
_SERVE = (sys.executable, "-m", "connectory_cli", "serve", "--log-format=json", *_MODULES)
_TOKENS = f"callers:\n  - {{name: benchmark, token: {TOKEN}, scopes: ['*:*']}}\n"
_LIMITS = "limits:\n  '*': {jobs: 1000000000, creates_per_second: 1000000, polls_per_second: 1000000, queue: 100000}\n"

SERVERS = (
    Server(name="floor", command=(sys.executable, "-m", "benchmarks.floor"), **OURS),
    Server(
        name="connectory",
        command=(*_SERVE, "--ledger=memory", "--uds"),
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
    Server(
        name="protected",
        command=(
            *_SERVE,
            "--tokens={folder}/tokens.yaml",
            "--config={folder}/protected.yaml",
            "--ledger=memory",
            "--uds",
        ),
        socket_is_path=True,
        metadata=(("authorization", f"Bearer {TOKEN}"),),
        environment={
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:{collector}",
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        },
        files={"tokens.yaml": _TOKENS, "protected.yaml": _LIMITS},
        **OURS,
    ),
    Server(
        name="flyte 2",
        command=(str(PEER_2), str(ROOT / "benchmarks" / "flyte2_peer.py")),
        package="flyteidl2.connector",
        async_service="AsyncConnectorService",
        sync_service="",
        operations=OPERATIONS[:3],
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
def started(server: Server, folder: Path, collector: int = 0) -> Iterator[tuple[int, str]]:
    """Start the server; yields its process id and its address. It is stopped at the end.

    `collector` is the port of a collector, for a server that sends telemetry.
    """
    place = folder / f"{server.name}.sock"
    address = f"unix:{place}"
    words = {"{folder}": str(folder), "{collector}": str(collector)}

    def filled(text: str) -> str:
        for word, value in words.items():
            text = text.replace(word, value)
        return text

    for name, text in server.files.items():
        (folder / name).write_text(text)
    process = subprocess.Popen(
        [
            *map(filled, server.command),
            str(place) if server.socket_is_path else address,
        ],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={
            **_ENVIRONMENT,
            "FLYTE_SDK_LOGGING_LEVEL": "50",
            "LOG_LEVEL": "50",
            **{name: filled(value) for name, value in server.environment.items()},
        },
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


@contextmanager
def collecting() -> Iterator[int]:
    """A collector of telemetry; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.collector", str(port)], cwd=ROOT)
    try:
        yield port
    finally:
        process.kill()
        process.wait()
