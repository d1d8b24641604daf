"""Which plugin carries out which task."""

import asyncio
import inspect
from collections.abc import Iterable

from connectory.errors import NotFoundError, RegistryError
from connectory.v1 import tasks_pb2
from workflow_runner.plugins.contract import Plugin, PluginEntry, SetupContext

__all__ = ["PluginRegistry"]

_SHORTEST_NAME = 8


class PluginRegistry:
    """Finds the plugin of a task: by its type, then by what plugins claim in order, then the default.

    Each is loaded on first use. A task type belongs to one plugin and there is one default; a second claim to either
    is a RegistryError that names both.
    """

    def __init__(self, entries: Iterable[PluginEntry], setup: SetupContext | None = None) -> None:
        self._setup = setup or SetupContext()
        self._by_type: dict[str, PluginEntry] = {}
        self._claiming: list[PluginEntry] = []
        self._default: PluginEntry | None = None
        self._loaded: dict[str, asyncio.Future[Plugin]] = {}
        for entry in entries:
            self._register(entry)

    def _register(self, entry: PluginEntry) -> None:
        for task_type in entry.registered_task_types:
            holder = self._by_type.setdefault(task_type, entry)
            if holder is not entry:
                raise RegistryError(f"task type {task_type!r} is claimed by plugins {holder.id!r} and {entry.id!r}")
        if entry.claims is not None:
            self._claiming.append(entry)
        if entry.is_default:
            if self._default is not None:
                raise RegistryError(f"plugins {self._default.id!r} and {entry.id!r} both claim to be the default")
            self._default = entry

    async def get(self, template: tasks_pb2.TaskTemplate) -> Plugin:
        """The plugin for a task, loaded; NotFoundError lists the types that exist."""
        entry = self._by_type.get(template.type) or self._claimant(template) or self._default
        if entry is None:
            known = ", ".join(sorted(self._by_type)) or "none"
            raise NotFoundError(
                f"no plugin carries out tasks of type {template.type!r}; there are plugins for: {known}"
            )
        pending = self._loaded.get(entry.id)
        if pending is None:
            pending = self._loaded[entry.id] = asyncio.ensure_future(self._load(entry))
        return await asyncio.shield(pending)

    def _claimant(self, template: tasks_pb2.TaskTemplate) -> PluginEntry | None:
        return next((entry for entry in self._claiming if entry.claims is not None and entry.claims(template)), None)

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
