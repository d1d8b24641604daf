"""Starts the cluster: the API server, etcd and controllers as built from their own source, and the fake kubelet."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.kubernetes.kubelet import fake_kubelet

__all__ = ["BINARY", "cluster"]

ROOT = Path(__file__).parents[2]
BINARY = Path(os.environ.get("CONNECTORY_TEST_CLUSTER", ROOT / ".venv" / "bin" / "connectory-test-cluster"))
_PATIENCE = 90.0


@contextmanager
def cluster() -> Iterator[Path]:
    """The path of its kubeconfig file, once pods run. Skips where the API server has not been built."""
    if not BINARY.exists():
        pytest.skip(f"there is no Kubernetes API server at {BINARY}: `make kubernetes` builds it (with Go, in minutes)")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="k8s-")))
        kubeconfig = stack.enter_context(_api_server(folder))
        stack.enter_context(fake_kubelet(kubeconfig, folder / "pods"))
        yield kubeconfig


@contextmanager
def _api_server(folder: Path) -> Iterator[Path]:
    log, kubeconfig = folder / "log", folder / "kubeconfig"
    with log.open("wb") as output:
        server = subprocess.Popen([BINARY, "-folder", folder], stdout=output, stderr=output, cwd=folder)
    try:
        until = time.monotonic() + _PATIENCE
        while not kubeconfig.exists():
            if server.poll() is not None or time.monotonic() > until:
                sys.stderr.write(log.read_text(errors="replace")[-4000:])
                raise AssertionError(f"the API server does not serve (exit code {server.poll()})")
            time.sleep(0.05)
        yield kubeconfig
    finally:
        server.kill()
        server.wait(10)
