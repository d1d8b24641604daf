"""Kubernetes Job does what every connector must."""

from collections.abc import Callable

import pytest

from connectors.k8s_job import KubernetesJob, KubernetesJobConnector
from connectory.testing import AsyncConnectorSuite, TaskCall, task_call
from tests.connectors.k8s_job.conftest import connector


class TestKubernetesJob(AsyncConnectorSuite):
    @pytest.fixture
    def make_connector(self, namespace: str) -> Callable[[], KubernetesJobConnector]:
        return lambda: connector(namespace)

    @pytest.fixture
    def good_task(self) -> TaskCall:
        script = 'echo "$1"; sleep 0.1; echo second; echo third'
        config = {"image": "busybox", "command": ["sh", "-c", script, "sh", "{{ .inputs.x }}"]}
        return task_call("k8s_job", config=config, inputs={"x": 3})

    @pytest.fixture
    def unknown_job(self, namespace: str) -> KubernetesJob:
        return KubernetesJob(name=f"connectory-{'0' * 40}", namespace=namespace, uid="none")
