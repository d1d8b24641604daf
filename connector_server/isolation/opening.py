"""All connectors of a server: those within its process, and those that the settings want in processes of their own."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from connector_server.isolation.connectors import Isolated, isolated
from connector_server.isolation.folders import remove_abandoned
from connector_server.isolation.kept import KeptChild
from connector_server.isolation.messages import Ready, Source
from connector_server.isolation.process import ChildError, Plan
from connector_server.settings import ServerSettings
from connector_server.settings.isolation import Apart, Isolation
from connectory.connector.discovery import discover, entry_point_names
from connectory.connector.registry import BrokenConnector, Registry
from connectory.errors import RegistryError

__all__ = ["end_processes", "isolated_in", "open_child", "opened", "planned"]

_EVERYTHING_ELSE: Final = "*"
_log = logging.getLogger("connectory.isolation")


async def opened(settings: ServerSettings) -> Registry:
    """The registry, with every process started. What cannot be started is listed as broken, and the others serve.

    Closing the connectors ends the processes.
    """
    plans = {plan.name: plan for plan in planned(settings)}
    modules = [name for name in settings.modules if name not in plans]
    registry = discover(modules, chosen=lambda name: name not in plans)
    children = [KeptChild(plan) for plan in plans.values()]
    if children:
        remove_abandoned()
    try:
        async with asyncio.TaskGroup() as group:
            for child in children:
                group.create_task(open_child(child, registry))
    except BaseException:
        await asyncio.gather(*(child.aclose() for child in children))
        raise
    return registry


def planned(settings: ServerSettings) -> list[Plan]:
    """The processes that the settings want; nothing is loaded for it."""
    said = dict(settings.isolation)
    rest = said.pop(_EVERYTHING_ELSE, "none")
    everything = (*entry_point_names(), *settings.modules)
    wanted = {**dict.fromkeys(everything, rest), **said}
    return [
        Plan(name=name, source=_source(name, apart, settings), apart=apart)
        for name, apart in ((name, _apart(how)) for name, how in wanted.items())
        if apart.mode == "process"
    ]


def isolated_in(registry: Registry) -> dict[str, KeptChild]:
    """The processes behind the connectors of a registry, by the connectors' names."""
    return {one.name: one.connector.child for one in registry.list() if isinstance(one.connector, Isolated)}


async def end_processes(registry: Registry) -> None:
    """End the processes behind the connectors of a registry, those that have not ended with their connectors."""
    await asyncio.gather(*(child.aclose() for child in isolated_in(registry).values()))


def _apart(how: Isolation | Apart) -> Apart:
    return how if isinstance(how, Apart) else Apart(mode=how)


def _source(name: str, apart: Apart, settings: ServerSettings) -> Source:
    if apart.module is not None:
        return Source("module", apart.module)
    return Source("module" if name in settings.modules else "entry point", name)


async def open_child(child: KeptChild, registry: Registry) -> None:
    """Start a process and register what it serves; what cannot be is listed as broken."""
    source = f"{child.plan.source}, in a process of its own"
    try:
        ready = await child.open()
    except ChildError as error:
        registry.add_broken(BrokenConnector(name=child.plan.name, source=source, reason=str(error)))
        return
    _log.info("the process of connector %s is there", child.plan.name, extra={"pid": child.pid})
    for broken in _registered(child, ready, registry, source):
        registry.add_broken(broken)
    if not any(one is child for one in isolated_in(registry).values()):
        await child.aclose()


def _registered(child: KeptChild, ready: Ready, registry: Registry, source: str) -> Iterable[BrokenConnector]:
    for broken in ready.broken:
        yield BrokenConnector(
            name=broken.name, source=f"{broken.source}, in a process of its own", reason=broken.reason
        )
    for described in ready.connectors:
        try:
            registry.register(isolated(child, described), source=source)
        except RegistryError as error:
            yield BrokenConnector(name=described.name, source=source, reason=str(error))
        else:
            child.use()
