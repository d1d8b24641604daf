"""Sleep does what every connector must."""

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.sleep import SleepConnector
from connectory.testing import AsyncConnectorSuite, TaskCall, task_call


class TestSleep(AsyncConnectorSuite):
    @pytest.fixture
    def make_connector(self, tmp_path: Path) -> Callable[[], SleepConnector]:
        return lambda: SleepConnector(folder=tmp_path)

    @pytest.fixture
    def good_task(self) -> TaskCall:
        config = {"duration": 0.02, "log": ["one", "two", "three"], "outputs": {"rows": 3}}
        return task_call("sleep", config=config, outputs={"rows": int})
