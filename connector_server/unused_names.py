"""What is set for connectors that there are not: most likely a name that is written wrong."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from connector_server.settings import ServerSettings
from connectory.connector.registry import Registry

__all__ = ["unused_names"]

_BY_CONNECTOR: Final = ("limits", "ambiguous", "on_orphan", "lease", "secrets_allow")


def unused_names(settings: ServerSettings, registry: Registry) -> Iterator[tuple[str, str, str]]:
    """For each such name: the setting, what is wrong with it, and what to do."""
    names: set[str] = set()
    for registration in registry.list():
        names |= {registration.name, *(category.name for category in registration.categories)}
    for setting in _BY_CONNECTOR:
        said: Mapping[str, Any] = getattr(settings, setting)
        for name in said:
            if name != "*" and name not in names:
                yield (
                    setting,
                    f"no connector and no task type is called {name!r}, so what it says for it is never used",
                    f"use one of {', '.join(sorted(names))}; or * for all others",
                )
