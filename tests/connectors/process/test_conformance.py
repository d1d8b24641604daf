"""Process does what every connector must."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.process import ProcessConnector, ProcessJob, ProcessSettings
from connectory.testing import AsyncConnectorSuite, FakeSecrets, TaskCall, task_call
from connectory.types import File


class TestProcess(AsyncConnectorSuite):
    @pytest.fixture
    def make_connector(self, tmp_path: Path) -> Callable[[], ProcessConnector]:
        return lambda: ProcessConnector(ProcessSettings(folder=tmp_path / "state"))

    @pytest.fixture
    def secrets(self) -> FakeSecrets:
        return FakeSecrets({"token": "a-secret-value"})

    @pytest.fixture
    def good_task(self, tmp_path: Path) -> TaskCall:
        script = 'sleep 0.05; echo "$1"; echo "$1" >report; echo warning >&2'
        config = {"command": [script, "{{ .inputs.x }}"], "shell": True, "env": {"TOKEN": "{{ .secrets.token }}"}}
        outputs = {"stdout": str, "exit_code": int, "report": File}
        return task_call(
            "process", config=config, inputs={"x": 3}, outputs=outputs, output_prefix=str(tmp_path / "out")
        )

    @pytest.fixture
    def unknown_job(self) -> ProcessJob:
        return ProcessJob(job_id="0" * 32, host=socket.gethostname(), pid=1, start=1, boot="another")
