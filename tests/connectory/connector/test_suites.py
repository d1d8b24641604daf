"""The shipped suites, tried on connectors that keep the contract."""

from collections.abc import Callable
from typing import Any

import pytest

from connectory.testing import AsyncConnectorSuite, SyncConnectorSuite, TaskCall, task_call
from tests.connectory.connector.fakes import FakeConnector, FakeJob, FakeSyncConnector, FakeSystem


class TestFakeConnector(AsyncConnectorSuite):
    @pytest.fixture
    def make_connector(self) -> Callable[[], FakeConnector]:
        system = FakeSystem()
        return lambda: FakeConnector(system)

    @pytest.fixture
    def good_task(self) -> TaskCall:
        return task_call("fake", config={"size": 3}, inputs={"x": 1}, outputs={"x": int})

    @pytest.fixture
    def unknown_job(self) -> Any:
        return FakeJob(job_id="never")


class TestFakeSyncConnector(SyncConnectorSuite):
    @pytest.fixture
    def make_connector(self) -> Callable[[], FakeSyncConnector]:
        return FakeSyncConnector

    @pytest.fixture
    def good_task(self) -> TaskCall:
        return task_call("fake_sync", inputs={"x": "text"}, outputs={"x": str})
