"""Connectors as the metadata service lists them."""

from connectory.connector.registry import Registry
from connectory.errors import NotFoundError
from connectory.v1 import connector_pb2 as pb

__all__ = ["list_connectors", "listed_connector"]


def list_connectors(registry: Registry) -> list[pb.Connector]:
    """Every connector that serves, by name; several of one name are listed as one."""
    listed: dict[str, pb.Connector] = {}
    for registration in registry.list():
        entry = listed.setdefault(registration.name, pb.Connector(name=registration.name, is_sync=registration.is_sync))
        for category in registration.categories:
            entry.supported_task_categories.add(name=category.name, version=category.version)
            if category.name not in entry.supported_task_types:
                entry.supported_task_types.append(category.name)
    return list(listed.values())


def listed_connector(registry: Registry, name: str) -> pb.Connector:
    """The connector of this name; an unknown name is a `NotFoundError` that lists what exists."""
    listed = list_connectors(registry)
    for entry in listed:
        if entry.name == name:
            return entry
    names = ", ".join(entry.name for entry in listed) or "none"
    raise NotFoundError(f"no connector is called {name!r}; there are: {names}", reason="UNKNOWN_CONNECTOR")
