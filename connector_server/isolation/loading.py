"""What a connector's process serves: the connectors of one source, and what the server must know of them."""

from dataclasses import asdict
from typing import Final

from connector_server.isolation.messages import Broken, Described, Ready, Source
from connectory.connector.contract import AsyncConnector
from connectory.connector.discovery import GROUP, discover, entry_point_names
from connectory.connector.registry import Registration, Registry
from connectory.errors import RegistryError

__all__ = ["described", "loaded"]

_OPTIONAL: Final = ("find", "metrics")


def loaded(source: Source) -> Registry:
    """The connectors of the source. One that gives none at all is a `RegistryError` that says why."""
    if source.kind == "module":
        registry = discover([source.name], entry_points=False)
    else:
        known = entry_point_names()
        if source.name not in known:
            raise RegistryError(
                f"its environment has no entry point {source.name!r} in the group {GROUP}; there are:"
                f" {', '.join(known) or 'none'}; install the package that has it there, or name a module"
            )
        registry = discover(chosen=source.name.__eq__)
    if not registry.list():
        raise RegistryError("; ".join(broken.reason for broken in registry.broken))
    return registry


def described(registry: Registry) -> Ready:
    """Everything about the connectors that the server decides by."""
    return Ready(
        connectors=[_described(registration) for registration in registry.list()],
        broken=[Broken(name=one.name, source=one.source, reason=one.reason) for one in registry.broken],
    )


def _described(registration: Registration) -> Described:
    connector = registration.connector
    offers = [operation for operation in _OPTIONAL if operation in registration.operations]
    jobs = connector if isinstance(connector, AsyncConnector) else AsyncConnector
    return Described(
        name=registration.name,
        source=registration.source,
        categories=[(category.name, category.version) for category in registration.categories],
        is_sync=registration.is_sync,
        offers=[*offers, *(["logs"] if registration.logs is not None else [])],
        limits=asdict(connector.limits),
        handle_version=jobs.handle_version,
        on_orphan=jobs.on_orphan,
        lease=jobs.lease.total_seconds(),
        poll_every=None if jobs.poll_every is None else jobs.poll_every.total_seconds(),
    )
