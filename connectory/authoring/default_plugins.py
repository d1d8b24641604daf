"""The routes that `@task` follows unless it is given others."""

from connectory.authoring.plugins import TaskPlugins
from connectory.authoring.sql import SQL, SQLFunctionTask

__all__ = ["task_plugins"]


def _default_plugins() -> TaskPlugins:
    plugins = TaskPlugins()
    plugins.register(SQL, SQLFunctionTask)
    return plugins


task_plugins = _default_plugins()
