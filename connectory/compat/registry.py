"""Flyte's registry: one for the process, filled while modules are imported."""

from typing import ClassVar

from connectory.compat.bases import AsyncConnectorBase, SyncConnectorBase
from connectory.connector.announcements import announce
from connectory.connector.contract import TaskCategory
from connectory.errors import NotFoundError, RegistryError
from connectory.v1 import connector_pb2 as pb

__all__ = ["ConnectorRegistry", "FlyteConnectorNotFound"]

FlyteConnectorNotFound = NotFoundError
"""Flyte's name for the error that no connector answers a category."""


class ConnectorRegistry:
    """Connectors by category, for modules that register theirs when they are imported.

    A server started with such a module serves what the module registered. This project's own programs use
    `connectory.Registry`, which is a value.
    """

    _connectors: ClassVar[dict[TaskCategory, SyncConnectorBase | AsyncConnectorBase]] = {}

    @classmethod
    def register(cls, connector: SyncConnectorBase | AsyncConnectorBase, override: bool = False) -> None:
        """Add a connector; a category that is taken is a `RegistryError`, unless `override` is set."""
        category = connector.task_category
        if category in cls._connectors and not override:
            old, new = (type(one).__qualname__ for one in (cls._connectors[category], connector))
            raise RegistryError(f"two connectors claim category {category}: {old} and {new}")
        cls._connectors[category] = connector
        announce(connector)

    @classmethod
    def get_connector(cls, task_type_name: str, task_type_version: int = 0) -> SyncConnectorBase | AsyncConnectorBase:
        """The connector of a category; an unknown one is a `NotFoundError` that lists what exists."""
        category = TaskCategory(task_type_name, task_type_version)
        if category not in cls._connectors:
            known = ", ".join(str(one) for one in sorted(cls._connectors)) or "none"
            raise NotFoundError(f"no connector is registered for task category {category}; registered are: {known}")
        return cls._connectors[category]

    @classmethod
    def list_connectors(cls) -> list[pb.Connector]:
        """The metadata of every connector, by name."""
        listed: dict[str, pb.Connector] = {}
        for category, connector in cls._connectors.items():
            name = connector.name or type(connector).__name__
            is_sync = isinstance(connector, SyncConnectorBase)
            entry = listed.setdefault(name, pb.Connector(name=name, is_sync=is_sync))
            entry.supported_task_categories.add(name=category.name, version=category.version)
            entry.supported_task_types.append(category.name)
        return list(listed.values())

    @classmethod
    def get_connector_metadata(cls, name: str) -> pb.Connector:
        """The metadata of one connector; an unknown name is a `NotFoundError`."""
        listed = cls.list_connectors()
        for entry in listed:
            if entry.name == name:
                return entry
        names = ", ".join(entry.name for entry in listed) or "none"
        raise NotFoundError(f"no connector is called {name!r}; there are: {names}")
