"""Kubernetes Job keeps the contract as callers see it: behind a real server, over the wire."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectory.testing import WireSuite, task_call
from connectory.testing.wire import Subject
from tests.connector_server.harness import serving
from tests.connectors.k8s_job.conftest import connector


class TestKubernetesJob(WireSuite):
    @pytest.fixture
    async def endpoint(self, namespace: str, tmp_path: Path) -> AsyncIterator[str]:
        async with serving(connector(namespace), ledger=str(tmp_path / "ledger.sqlite")) as peer:
            yield peer.server.addresses[0]

    @pytest.fixture
    def subject(self) -> Subject:
        script = 'echo "$1"; sleep 0.1; echo second; echo third'
        config = {"image": "busybox", "command": ["sh", "-c", script, "sh", "{{ .inputs.x }}"]}
        return Subject(task=task_call("k8s_job", config=config, inputs={"x": 3}))
