"""The sensor does what every connector must."""

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.sensor import SensorConnector
from connectory.testing import AsyncConnectorSuite, FakeSecrets, TaskCall, task_call


class TestTimeSensor(AsyncConnectorSuite):
    @pytest.fixture
    def make_connector(self) -> Callable[[], SensorConnector]:
        return SensorConnector

    @pytest.fixture
    def good_task(self) -> TaskCall:
        return task_call("sensor", config={"time": {"after": 0.02}})


class TestFileSensor(AsyncConnectorSuite):
    @pytest.fixture
    def make_connector(self) -> Callable[[], SensorConnector]:
        return SensorConnector

    @pytest.fixture
    def secrets(self) -> FakeSecrets:
        return FakeSecrets({"NAME": "hidden-name.csv"})

    @pytest.fixture
    def good_task(self, tmp_path: Path) -> TaskCall:
        (tmp_path / "hidden-name.csv").touch()
        config = {"file": {"url": f"{tmp_path}/{{{{ .secrets.NAME }}}}"}, "deadline": 60}
        return task_call("sensor", config=config, outputs={"size": int}, output_prefix=f"{tmp_path}/outputs")
