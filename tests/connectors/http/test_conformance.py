"""The http and webhook connectors do what every connector must."""

from collections.abc import Callable

import pytest

from connectors.http import HttpConnector, WebhookConnector
from connectory.testing import SyncConnectorSuite, TaskCall, task_call
from connectory.web import HostPolicy
from tests.connectors.http.server import Answer, Site


class TestHttp(SyncConnectorSuite):
    @pytest.fixture
    def make_connector(self) -> Callable[[], HttpConnector]:
        return lambda: HttpConnector(HostPolicy())

    @pytest.fixture
    def good_task(self, web: Site) -> TaskCall:
        web.answers("/", Answer.json({"a": 1}))
        return task_call("http", config={"url": f"{web.url}/"}, outputs={"status": int, "body": dict})


class TestWebhook(SyncConnectorSuite):
    @pytest.fixture
    def make_connector(self) -> Callable[[], WebhookConnector]:
        return lambda: WebhookConnector(HostPolicy())

    @pytest.fixture
    def good_task(self, web: Site) -> TaskCall:
        web.answers("/", Answer(body=b"ok"))
        return task_call("webhook", config={"url": f"{web.url}/"}, outputs={"info": dict})
