"""A web server, and an http connector that may reach everything."""

from collections.abc import AsyncIterator, Iterator

import pytest

from connectors.http import HttpConnector, WebhookConnector
from connectory.web import HostPolicy
from tests.connectors.http.server import Site, site


@pytest.fixture
def web() -> Iterator[Site]:
    with site() as running:
        yield running


@pytest.fixture
async def connector() -> AsyncIterator[HttpConnector]:
    made = HttpConnector(HostPolicy())
    yield made
    await made.close()


@pytest.fixture
async def webhook() -> AsyncIterator[WebhookConnector]:
    made = WebhookConnector(HostPolicy())
    yield made
    await made.close()
