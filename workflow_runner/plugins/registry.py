"""Which plugin carries out which task."""

import asyncio
import inspect
from collections.abc import Iterable, Sequence

from connectory.errors import NotFoundError, RegistryError
from connectory.v1 import tasks_pb2
from workflow_runner.naming import SHORTEST_NAME
from workflow_runner.plugins.contract import Plugin, PluginEntry, SetupContext

__all__ = ["PluginRegistry"]


class PluginRegistry:
    """Finds the plugin of a task: by its type, then by what plugins claim in order, then the default.

    Each is loaded on first use. An id and a task type belong to one plugin and there is one default; a second claim to
    any of them is a RegistryError that names both.
    """

    def __init__(self, entries: Iterable[PluginEntry] = (), setup: SetupContext | None = None) -> None:
        self._setup = setup or SetupContext()
        self._entries: dict[str, PluginEntry] = {}
        self._by_type: dict[str, PluginEntry] = {}
        self._default: PluginEntry | None = None
        self._loaded: dict[str, asyncio.Future[Plugin]] = {}
        self._ready: dict[str, Plugin] = {}
        for entry in entries:
            self.register_core_plugin(entry)

    @property
    def entries(self) -> Sequence[PluginEntry]:
        """The plugins, in the order in which they were registered."""
        return tuple(self._entries.values())

    def register_core_plugin(self, entry: PluginEntry) -> None:
        """Add a plugin; all of it or, with a RegistryError, nothing."""
        if isinstance(entry.registered_task_types, str):
            raise RegistryError(
                f"plugin {entry.id!r} registers {entry.registered_task_types!r}; it must be a list of task types"
            )
        if entry.id in self._entries:
            raise RegistryError(f"two plugins are called {entry.id!r}; give one of them another id")
        if entry.is_default and self._default is not None:
            raise RegistryError(f"plugins {self._default.id!r} and {entry.id!r} both claim to be the default")
        taken = {task_type: self._holder(task_type, entry) for task_type in entry.registered_task_types}
        self._entries[entry.id] = entry
        self._by_type.update(taken)
        self._default = entry if entry.is_default else self._default

    def _holder(self, task_type: str, entry: PluginEntry) -> PluginEntry:
        """Who has a task type from now on."""
        holder = self._by_type.get(task_type)
        if holder is None or (holder.gives_way and not entry.gives_way):
            return entry
        if entry.gives_way and not holder.gives_way:
            return holder
        raise RegistryError(f"task type {task_type!r} is claimed by plugins {holder.id!r} and {entry.id!r}")

    def ready(self, template: tasks_pb2.TaskTemplate) -> Plugin | None:
        """The same as `get` when nobody has to wait for it; else None."""
        entry = self._by_type.get(template.type)
        return self._ready.get(entry.id) if entry is not None and not entry.gives_way else None

    async def get(self, template: tasks_pb2.TaskTemplate) -> Plugin:
        """The plugin for a task, loaded; NotFoundError lists the types that exist."""
        entry = self._by_type.get(template.type) or self._claimant(template) or self._default
        if entry is None:
            known = ", ".join(sorted(self._by_type)) or "none"
            raise NotFoundError(
                f"no plugin carries out tasks of type {template.type!r}; there are plugins for: {known}"
            )
        if entry.gives_way and self._default is not None:
            default = await self._plugin(self._default)
            if await default.carries_out(template):
                return default
        return await self._plugin(entry)

    async def _plugin(self, entry: PluginEntry) -> Plugin:
        pending = self._loaded.get(entry.id)
        if pending is None:
            pending = self._loaded[entry.id] = asyncio.ensure_future(self._load(entry))
        return pending.result() if pending.done() else await asyncio.shield(pending)

    def _claimant(self, template: tasks_pb2.TaskTemplate) -> PluginEntry | None:
        claiming = (entry for entry in self._entries.values() if entry.claims is not None and entry.claims(template))
        return next(claiming, None)

    async def _load(self, entry: PluginEntry) -> Plugin:
        try:
            loaded = entry.load_plugin(self._setup.of_plugin(entry.id))
            plugin = await loaded if inspect.isawaitable(loaded) else loaded
        except BaseException:
            self._loaded.pop(entry.id, None)  # what was missing may be there for the next task
            raise
        longest = plugin.properties.generated_name_max_length
        if longest is not None and longest < SHORTEST_NAME:
            raise RegistryError(
                f"plugin {entry.id!r} allows names of {longest} characters; at least {SHORTEST_NAME} are needed"
            )
        self._ready[entry.id] = plugin
        return plugin

    async def close(self) -> None:
        """Close the plugins that were loaded."""
        loaded, self._loaded = self._loaded, {}
        self._ready.clear()
        for pending in loaded.values():
            if (await asyncio.wait([pending]))[0] and pending.exception() is None:
                await pending.result().close()
