"""What a control API's server does by itself: start what is due, and tell people about what has ended."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from connectory.v1 import identifiers_pb2, launch_plan_pb2
from workflow_runner.control.catalog.contract import Catalog
from workflow_runner.control.contents import plan_of
from workflow_runner.control.identifiers import entity_key
from workflow_runner.control.starting import Starting
from workflow_runner.notifications.messages import Send
from workflow_runner.notifications.notifier import Notifier
from workflow_runner.retention.pruner import Pruner, Retention
from workflow_runner.runner import Runner
from workflow_runner.schedules.plans import Schedules
from workflow_runner.schedules.scheduler import Scheduler

__all__ = ["background_work"]


@asynccontextmanager
async def background_work(
    runner: Runner,
    catalog: Catalog,
    starting: Starting,
    send: Send,
    clock: Callable[[], float],
    retention: Retention | None = None,
) -> AsyncIterator[None]:
    """Let schedules, notifications and forgetting go on until the block ends."""
    schedules = Schedules(runner.store.database)
    await schedules.open()
    notifier = Notifier(runner.store.database, send, lambda identifier: _plan(catalog, identifier))
    await notifier.open()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_going(Scheduler(schedules, starting.start, clock=clock).run))
        await stack.enter_async_context(_going(notifier.run))
        if retention is not None:
            await stack.enter_async_context(_going(Pruner(runner.store, retention, clock=clock).run))
        yield


@asynccontextmanager
async def _going(work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _plan(catalog: Catalog, identifier: identifiers_pb2.Identifier) -> launch_plan_pb2.LaunchPlan | None:
    if identifier.resource_type not in (identifiers_pb2.LAUNCH_PLAN, identifiers_pb2.UNSPECIFIED):
        return None
    entity = await catalog.get(entity_key(identifier, identifiers_pb2.LAUNCH_PLAN))
    return None if entity is None else plan_of(entity)
