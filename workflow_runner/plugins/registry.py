"""Which plugin carries out which task type."""

import asyncio
import inspect
from collections.abc import Iterable

from connectory.errors import NotFoundError, RegistryError
from workflow_runner.plugins.contract import Plugin, PluginEntry, SetupContext

__all__ = ["PluginRegistry"]

_SHORTEST_NAME = 8


class PluginRegistry:
    """Plugins by task type. Each is loaded on first use.

    A task type belongs to one plugin and there is one default; a second claim is a RegistryError that names both.
    """

    def __init__(self, entries: Iterable[PluginEntry], setup: SetupContext | None = None) -> None:
        self._setup = setup or SetupContext()
        self._by_type: dict[str, PluginEntry] = {}
        self._default: PluginEntry | None = None
        self._loaded: dict[str, asyncio.Future[Plugin]] = {}
        for entry in entries:
            self._register(entry)

    def _register(self, entry: PluginEntry) -> None:
        for task_type in entry.registered_task_types:
            holder = self._by_type.setdefault(task_type, entry)
            if holder is not entry:
                raise RegistryError(f"task type {task_type!r} is claimed by plugins {holder.id!r} and {entry.id!r}")
        if entry.is_default:
            if self._default is not None:
                raise RegistryError(f"plugins {self._default.id!r} and {entry.id!r} both claim to be the default")
            self._default = entry

    async def get(self, task_type: str) -> Plugin:
        """The plugin for a task type, loaded; NotFoundError lists the types that exist."""
        entry = self._by_type.get(task_type, self._default)
        if entry is None:
            known = ", ".join(sorted(self._by_type)) or "none"
            raise NotFoundError(f"no plugin carries out tasks of type {task_type!r}; there are plugins for: {known}")
        pending = self._loaded.get(entry.id)
        if pending is None:
            pending = self._loaded[entry.id] = asyncio.ensure_future(self._load(entry))
        return await asyncio.shield(pending)

    async def _load(self, entry: PluginEntry) -> Plugin:
        loaded = entry.load(self._setup)
        plugin = await loaded if inspect.isawaitable(loaded) else loaded
        longest = plugin.properties.generated_name_max_length
        if longest is not None and longest < _SHORTEST_NAME:
            raise RegistryError(
                f"plugin {entry.id!r} allows names of {longest} characters; at least {_SHORTEST_NAME} are needed"
            )
        return plugin

    async def close(self) -> None:
        """Close the plugins that were loaded."""
        loaded, self._loaded = self._loaded, {}
        for pending in loaded.values():
            if (await asyncio.wait([pending]))[0] and pending.exception() is None:
                await pending.result().close()
