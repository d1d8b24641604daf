"""Echo does what every connector must."""

from collections.abc import Callable

import pytest

from connectors.echo import EchoConnector, EchoJob, EchoSyncConnector
from connectory.testing import AsyncConnectorSuite, SyncConnectorSuite, TaskCall, task_call

VALUES = {"x": 3, "text": "grün"}
OUTPUTS = {"x": int, "text": str}


class TestEcho(AsyncConnectorSuite):
    @pytest.fixture
    def make_connector(self) -> Callable[[], EchoConnector]:
        return EchoConnector

    @pytest.fixture
    def good_task(self) -> TaskCall:
        return task_call("echo", inputs=VALUES, outputs=OUTPUTS)


class TestLargeEcho(TestEcho):
    @pytest.fixture
    def good_task(self) -> TaskCall:
        inputs = {"text": "x" * 100_000}
        return task_call("echo", inputs=inputs, outputs={"text": str}, output_prefix="memory://large-echo")

    @pytest.fixture
    def unknown_job(self) -> EchoJob:
        return EchoJob(prefix="memory://large-echo", file="0" * 32)


class TestEchoSync(SyncConnectorSuite):
    @pytest.fixture
    def make_connector(self) -> Callable[[], EchoSyncConnector]:
        return EchoSyncConnector

    @pytest.fixture
    def good_task(self) -> TaskCall:
        return task_call("echo_sync", inputs=VALUES, outputs=OUTPUTS)
