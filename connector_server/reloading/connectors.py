"""The connectors of a server loaded anew: those within its process, and those in processes of their own."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from connector_server.isolation.connectors import Isolated
from connector_server.isolation.kept import KeptChild
from connector_server.isolation.opening import open_child, planned
from connector_server.isolation.process import Plan
from connector_server.settings import ServerSettings
from connectory.connector.closing import close
from connectory.connector.discovery import sources
from connectory.connector.rediscovery import GOES_ON, Rediscovered, rediscover
from connectory.connector.registry import BrokenConnector, Registration, Registry

__all__ = ["reopened"]


async def reopened(settings: ServerSettings, current: Registry) -> Rediscovered:
    """What `isolation.opening.opened` would find now, with the last good connectors where it would find none.

    Connectors in processes of their own get new processes; the old ones end when their connectors are closed.
    """
    plans = {plan.name: plan for plan in planned(settings)}
    children = [KeptChild(plan) for plan in plans.values()]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_reopened(child, current)) for child in children]
    except BaseException:
        await asyncio.gather(*(child.aclose() for child in children))
        raise
    opened = [task.result() for task in tasks]
    others = [registration for registrations, _ in opened for registration in registrations]
    modules = [name for name in settings.modules if name not in plans]
    found = rediscover(current, sources(modules, chosen=lambda name: name not in plans), others)
    failed = [one for _, broken in opened for one in broken]
    for one in failed:
        found.registry.add_broken(one)
    served = [one for one in failed if one.reason.endswith(GOES_ON)]
    return replace(found, failed=[*found.failed, *served])


async def _reopened(child: KeptChild, current: Registry) -> tuple[Sequence[Registration], Sequence[BrokenConnector]]:
    """What is to serve of what a child has, and what could not be loaded."""
    trial = Registry()
    await open_child(child, trial)
    old = [one for one in current.list() if _is_of(child.plan, one)]
    if not trial.broken or not old:
        return trial.list(), trial.broken
    await asyncio.gather(*map(close, trial.list()))
    return old, [replace(one, reason=f"{one.reason}; {GOES_ON}") for one in trial.broken]


def _is_of(plan: Plan, registration: Registration) -> bool:
    connector = registration.connector
    if isinstance(connector, Isolated):
        return connector.child.plan.name == plan.name
    return registration.source.partition(" = ")[0] == str(plan.source)
