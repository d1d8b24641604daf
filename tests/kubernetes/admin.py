"""What tests do to the cluster as its administrator, one call at a time."""

import base64
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2
from lightkube import KubeConfig
from lightkube.config.client_adapter import Client, ConnectionParams

__all__ = ["Admin"]

_PATIENCE = 30.0


class Admin:
    """The API server, with all rights. Its calls block."""

    def __init__(self, kubeconfig: Path) -> None:
        config = KubeConfig.from_file(kubeconfig).get()
        assert config is not None
        self._client = Client(config, ConnectionParams(timeout=httpx2.Timeout(30)))

    def close(self) -> None:
        self._client.close()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        response = self._client.request(method, path, json=body, headers=headers)
        assert response.is_success, response.text
        found: dict[str, Any] = response.json()
        return found

    def make_namespace(self, name: str) -> None:
        """A namespace with the account that pods need."""
        self.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        self.make(name, "serviceaccounts", {"metadata": {"name": "default"}})

    def make(self, namespace: str, kind: str, body: Any, group: str = "/api/v1") -> dict[str, Any]:
        return self.call("POST", f"{group}/namespaces/{namespace}/{kind}", body)

    def make_secret(self, namespace: str, name: str, values: Mapping[str, str]) -> None:
        data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
        self.make(namespace, "secrets", {"metadata": {"name": name}, "data": data})

    def list(self, namespace: str, kind: str) -> list[dict[str, Any]]:
        group = "/apis/batch/v1" if kind == "jobs" else "/api/v1"
        return list(self.call("GET", f"{group}/namespaces/{namespace}/{kind}")["items"])

    def delete_jobs(self, namespace: str) -> None:
        """Delete them all, as somebody else would."""
        self.call("DELETE", f"/apis/batch/v1/namespaces/{namespace}/jobs", {"propagationPolicy": "Background"})

    def delete_pods(self, namespace: str) -> None:
        """Delete them all, and wait until they are gone."""
        self.call("DELETE", f"/api/v1/namespaces/{namespace}/pods")
        while self.list(namespace, "pods"):
            time.sleep(0.02)

    def await_job(self, namespace: str) -> None:
        """Wait until there is a Job."""
        until = time.monotonic() + _PATIENCE
        while not self.list(namespace, "jobs"):
            assert time.monotonic() < until
            time.sleep(0.02)

    def await_pod(self, namespace: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first pod of which this holds."""
        until = time.monotonic() + _PATIENCE
        while True:
            pods = self.list(namespace, "pods")
            for pod in filter(holds, pods):
                return pod
            assert time.monotonic() < until, pods
            time.sleep(0.02)
