"""Which class makes a task of a function, by the type of its `task_config`."""

from __future__ import annotations

from typing import Any

from connectory.authoring.function_task import FunctionTask
from connectory.errors import RegistryError

__all__ = ["TaskPlugins", "shared_plugins"]


class TaskPlugins:
    """Task classes by config class.

    A task class is called as `cls(function, task_config=..., **settings)`; one that has a `from_function` is made by
    that instead, with the same arguments.
    """

    def __init__(self) -> None:
        self._classes: dict[type, type] = {}

    def register(self, config_type: type, task_class: type, *, override: bool = False) -> None:
        """Route functions with such a config to this class; one that is routed already is a `RegistryError`."""
        known = self._classes.get(config_type)
        if known is not None and known is not task_class and not override:
            raise RegistryError(
                f"functions with the config {config_type.__name__} are made {known.__name__} tasks already, so they "
                f"cannot be made {task_class.__name__} tasks; pass override=True to replace it"
            )
        self._classes[config_type] = task_class

    def find(self, config_type: type, default: type) -> Any:
        """The class for a config of this type, or of a type that it is derived from."""
        for candidate in config_type.__mro__:
            if candidate in self._classes:
                return self._classes[candidate]
        return default

    @classmethod
    def register_pythontask_plugin(cls, plugin_config_type: type, plugin: type) -> None:
        """`register`, with those that `@task` follows unless it is given others."""
        shared_plugins.register(plugin_config_type, plugin)

    @classmethod
    def find_pythontask_plugin(cls, plugin_config_type: type) -> Any:
        """`find` among those that `@task` follows unless it is given others; by default the function task."""
        return shared_plugins.find(plugin_config_type, FunctionTask)


shared_plugins = TaskPlugins()
"""Those that `@task` follows unless it is given others."""
