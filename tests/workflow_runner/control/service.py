"""The runner's service as a real process, and the command that talks to it."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from connectory.client.control import ControlClient
from connectory.v1 import control_pb2, identifiers_pb2

__all__ = ["Service", "command", "running_service", "wait_for_end"]

_COMMAND = [sys.executable, "-P", "-m", "connectory_cli"]


def _environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "CONNECTORY_HOME": str(folder / "home"),
        "CONNECTORY_PROCESS_DIR": str(folder / "processes"),
    }


def command(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run `connectory` to its end, with its state below the folder."""
    return subprocess.run(
        [*_COMMAND, *map(str, words)],
        env=_environment(folder),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service that answers."""

    endpoint: str
    folder: Path
    process: subprocess.Popen[str]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it by a signal; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)


def wait_for_end(service: Service, name: str) -> None:
    """Return once an execution of the default project and domain has ended."""

    async def watch() -> None:
        execution = identifiers_pb2.WorkflowExecutionIdentifier(project="default", domain="development", name=name)
        async with ControlClient(service.endpoint) as client:
            async for _ in client.watch_execution(control_pb2.WatchExecutionRequest(id=execution)):
                continue

    asyncio.run(watch())


@contextmanager
def running_service(folder: Path, *words: object) -> Iterator[Service]:
    """A service on a free port, until the block ends."""
    process = subprocess.Popen(
        [*_COMMAND, "runner", "serve", "--address", "127.0.0.1:0", *map(str, words)],
        env=_environment(folder),
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"127\.0\.0\.1:\d+", line)
        assert found, line + process.stderr.read()
        yield Service(endpoint=found[0], folder=folder, process=process)
    finally:
        if process.poll() is None:
            process.terminate()
        process.stderr.read()
        process.wait(30)
        process.stderr.close()
