"""The routes that `@task` follows unless it is given others."""

from connectory.authoring.plugins import TaskPlugins, shared_plugins
from connectory.authoring.sql import SQL, SQLFunctionTask

__all__ = ["task_plugins"]


def _default_plugins() -> TaskPlugins:
    shared_plugins.register(SQL, SQLFunctionTask)
    return shared_plugins


task_plugins = _default_plugins()
