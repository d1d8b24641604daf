"""The entry of the container plugin, whose code is imported with the first container."""

from collections.abc import Sequence
from pathlib import Path

from connectory.client.connector import ConnectorClient
from workflow_runner.plugins.contract import Plugin, PluginEntry, SetupContext
from workflow_runner.plugins.patience import Patience

__all__ = ["container_plugin"]


def container_plugin(
    clients: Sequence[ConnectorClient],
    *,
    folder: Path | None = None,
    patience: Patience | None = None,
    task_types: Sequence[str] = ("raw-container", "container"),
) -> PluginEntry:
    """The entry of the plugin. With `python-task` among its types it runs Python tasks too, by their images."""

    def load(setup: SetupContext) -> Plugin:
        from workflow_runner.plugins.container.plugin import ContainerPlugin  # noqa: PLC0415

        return ContainerPlugin(clients, folder, patience)

    return PluginEntry(id="container", registered_task_types=tuple(task_types), load_plugin=load)
