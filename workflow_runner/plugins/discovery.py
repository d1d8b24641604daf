"""Plugins of installed packages: entry points in the group `connectory.plugins`.

    [project.entry-points."connectory.plugins"]
    warehouse = "my_package.plugins:warehouse"

An entry point is a `PluginEntry`, an iterable of those, or a callable without arguments that gives one of these.
"""

import inspect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from connectory.errors import RegistryError
from workflow_runner.plugins.contract import PluginEntry
from workflow_runner.plugins.registry import PluginRegistry

__all__ = ["GROUP", "AvailablePlugins", "BrokenPlugin", "SourcedPlugin", "available_plugins"]

GROUP: Final = "connectory.plugins"


@dataclass(frozen=True, kw_only=True)
class SourcedPlugin:
    """A plugin, and where it comes from."""

    entry: PluginEntry
    source: str


@dataclass(frozen=True, kw_only=True)
class BrokenPlugin:
    """One that cannot be used."""

    name: str
    source: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class AvailablePlugins:
    """What a runner can have, in the order in which plugins are asked about tasks."""

    plugins: Sequence[SourcedPlugin]
    broken: Sequence[BrokenPlugin]

    @property
    def entries(self) -> Sequence[PluginEntry]:
        """What `Runner` takes."""
        return [plugin.entry for plugin in self.plugins]


def available_plugins(shipped: Iterable[PluginEntry], *, installed: bool = True) -> AvailablePlugins:
    """The shipped plugins and then those of installed packages, by name.

    Nothing that an installed package brings takes the runner down: what cannot be loaded, or claims what another plugin
    has, is listed as broken with the reason.
    """
    registry = PluginRegistry()
    plugins: list[SourcedPlugin] = []
    broken: list[BrokenPlugin] = []
    for entry in shipped:
        registry.register_core_plugin(entry)
        plugins.append(SourcedPlugin(entry=entry, source="shipped"))
    for point in _entry_points() if installed else ():
        source = f"entry point {point.name} = {point.value}"
        try:
            brought = list(_flattened(point.load()))
        except (Exception, SystemExit) as error:  # the module of the package may raise anything
            broken.append(BrokenPlugin(name=point.name, source=source, reason=_reason(error)))
            continue
        for entry in brought:
            try:
                registry.register_core_plugin(entry)
            except RegistryError as error:
                broken.append(BrokenPlugin(name=entry.id, source=source, reason=str(error)))
            else:
                plugins.append(SourcedPlugin(entry=entry, source=source))
    return AvailablePlugins(plugins=plugins, broken=broken)


def _entry_points() -> list[EntryPoint]:
    unique = {(found.name, found.value): found for found in entry_points(group=GROUP)}
    return [unique[key] for key in sorted(unique)]


def _flattened(offered: Any) -> Iterator[PluginEntry]:
    if isinstance(offered, PluginEntry):
        yield offered
    elif isinstance(offered, Iterable) and not isinstance(offered, str | bytes):
        for one in offered:
            yield from _flattened(one)
    elif callable(offered) and not inspect.isclass(offered):
        yield from _flattened(offered())
    else:
        raise RegistryError(f"{offered!r} is no PluginEntry, and gives none")


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, RegistryError) else f"{type(error).__name__}: {error}"
