"""What a reload that fails, or that nobody waits for, leaves behind: nothing."""

import asyncio
from typing import Any

import pytest

from connector_server.reloading.reloads import Reloads
from connector_server.settings import ServerSettings
from connectory.connector.rediscovery import Rediscovered
from connectory.connector.registry import Registry
from connectory.errors import RegistryError
from connectory.testing import dispatching
from tests.connector_server.fakes import TrivialConnector


class Closing(TrivialConnector):
    """Notes that it was closed."""

    closed = False

    async def close(self) -> None:
        self.closed = True


def found(*connectors: TrivialConnector) -> Rediscovered:
    registry = Registry()
    for connector in connectors:
        registry.register(connector)
    return Rediscovered(registry=registry, failed=(), discarded=())


async def test_connectors_that_were_loaded_in_vain_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    new = Closing()

    async def rediscover(*_: Any) -> Rediscovered:
        return found(new)

    def refuse(*_: Any, **__: Any) -> None:
        raise RegistryError("its limits cannot be")

    async with dispatching(old := Closing()) as dispatcher:
        monkeypatch.setattr(dispatcher, "change", refuse)
        reloaded = await Reloads(ServerSettings(), dispatcher, rediscover).reload()
        assert reloaded.refusal == "its limits cannot be"
        assert (new.closed, old.closed) == (True, False)


async def test_a_reload_under_way_ends_with_the_server() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def rediscover(*_: Any) -> Rediscovered:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    async with dispatching(Closing()) as dispatcher:
        reloads = Reloads(ServerSettings(), dispatcher, rediscover)
        reloads.start()
        await begun.wait()
        await reloads.aclose()
        assert ended.is_set()
