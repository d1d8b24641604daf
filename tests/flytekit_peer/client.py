"""The side of the tests: starts flytekit's process once and asks it."""

import os
import pickle
import struct
import subprocess
from pathlib import Path
from typing import Any

__all__ = ["INSTALLED", "PYTHON", "FlytekitPeer", "FlytekitProcess", "PeerError", "environment"]

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-flytekit" / "bin" / "python"
INSTALLED = PYTHON.exists()


class PeerError(Exception):
    """flytekit refused; the message is its traceback."""


def environment() -> dict[str, str]:
    """An environment in which neither Python nor flytekit is told anything special."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "FLYTE"))}


class FlytekitProcess:
    """flytekit in its own process, running a module of this package that answers questions."""

    def __init__(self, module: str) -> None:
        self._process = subprocess.Popen(
            [PYTHON, "-W", "ignore", "-m", f"tests.flytekit_peer.{module}"],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=20)
        self._process.stdout.close()

    def ask(self, operation: str, *arguments: Any) -> Any:
        """What an operation of the module answers; a PeerError with its traceback when it fails."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        data = pickle.dumps((operation, *arguments))
        self._process.stdin.write(struct.pack("!I", len(data)) + data)
        self._process.stdin.flush()
        header = self._process.stdout.read(4)
        assert len(header) == 4, f"flytekit's process ended with {self._process.wait(timeout=20)}"
        kind, answer = pickle.loads(self._process.stdout.read(struct.unpack("!I", header)[0]))
        if kind == "error":
            raise PeerError(answer)
        return answer


class FlytekitPeer(FlytekitProcess):
    """flytekit's types; `shapes` is the module of annotations, importable from the project's root."""

    def __init__(self, shapes: str) -> None:
        super().__init__("peer")
        self._shapes = shapes

    def declare(self, name: str) -> bytes:
        """flytekit's literal type of an annotation."""
        return self.ask("declare", self._shapes, name)

    def write(self, name: str, value: Any) -> bytes:
        """flytekit's literal for a value."""
        return self.ask("write", self._shapes, name, value)

    def write_older(self, name: str, value: Any) -> bytes:
        """flytekit's literal for a value in the form in which it wrote structures before msgpack."""
        return self.ask("write_older", self._shapes, name, value)

    def read(self, name: str, literal: bytes) -> Any:
        """What flytekit makes of a literal, in the form in which `shapes.comparable` puts it."""
        return self.ask("read", self._shapes, name, literal)
