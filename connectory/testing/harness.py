"""A dispatcher around the connectors under test, and a job run to its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectory.connector.contract import Connector, Phase
from connectory.connector.dispatch import Dispatcher
from connectory.connector.ledger import Ledger
from connectory.connector.registry import Registry
from connectory.secrets import Secrets
from connectory.storage import default_storage
from connectory.testing.fakes import FakeSecrets
from connectory.testing.tasks import TaskCall
from connectory.types import default_types
from connectory.v1 import connector_pb2 as pb

__all__ = ["dispatching", "run_job"]


@asynccontextmanager
async def dispatching(
    *connectors: Connector[object], secrets: Secrets | None = None, ledger: Ledger | None = None
) -> AsyncIterator[Dispatcher]:
    """The connectors behind a dispatcher of their own, closed at the end."""
    registry = Registry()
    for connector in connectors:
        registry.register(connector)
    dispatcher = Dispatcher(
        registry,
        secrets=FakeSecrets() if secrets is None else secrets,
        storage=default_storage(),
        types=default_types(),
        ledger=ledger,
    )
    try:
        yield dispatcher
    finally:
        await dispatcher.aclose()


async def run_job(dispatcher: Dispatcher, task: TaskCall, handle: bytes, *, timeout: float = 30.0) -> pb.Resource:
    """Poll a job until it has ended, and give its last state."""
    async with asyncio.timeout(timeout):
        delay = 0.005
        while True:
            resource = (await dispatcher.get(task.get_request(handle))).resource
            if Phase(resource.phase).is_terminal:
                return resource
            await asyncio.sleep(delay)
            delay = min(delay * 1.5, 0.2)
