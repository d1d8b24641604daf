"""Two connector servers on one PostgreSQL ledger, each a process that can be killed and started again."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Replicas", "documented_policy", "replicas"]

_ROOT = Path(__file__).parents[2]
_LEASE = 5
"""Seconds after which the jobs of a killed replica are settled by the other."""


def documented_policy() -> str:
    """The service configuration that the operating page gives to clients of replicas, as JSON."""
    page = (_ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    found = re.search(r"```json\n(\{\s*\"loadBalancingConfig\".*?)```", page, re.DOTALL)
    assert found is not None, "the page has no retry policy"
    return found[1]


class Replicas:
    """The servers by their numbers, 0 and 1."""

    def __init__(self, ledger: str) -> None:
        self._ledger = ledger
        self._ports = [_free_port(), _free_port()]
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def target(self) -> str:
        """What a client is given: both addresses, as a headless service of Kubernetes resolves to."""
        return "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in self._ports)

    def start(self, number: int) -> None:
        """Start one; it need not serve yet when this returns."""
        environment = {
            **os.environ,
            "CONNECTORY_ADDRESSES": f"127.0.0.1:{self._ports[number]}",
            "CONNECTORY_MODULES": "tests.load.connector",
            "CONNECTORY_LEDGER": self._ledger,
            "CONNECTORY_LEDGER_LEASE": str(_LEASE),
            "CONNECTORY_LOG_LEVEL": "ERROR",
        }
        command = [sys.executable, "-m", "connector_server"]
        self._running[number] = subprocess.Popen(command, cwd=_ROOT, env=environment)

    def kill(self, number: int) -> None:
        """End one without a word."""
        process = self._running.pop(number)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def close(self) -> None:
        for number in list(self._running):
            self.kill(number)


@contextmanager
def replicas(ledger: str) -> Iterator[Replicas]:
    """Both running, killed at the end."""
    both = Replicas(ledger)
    try:
        both.start(0)
        both.start(1)
        yield both
    finally:
        both.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
