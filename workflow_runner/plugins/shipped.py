"""The plugins that ship, in the order in which they are asked about tasks."""

from collections.abc import Sequence
from pathlib import Path

from connectory.client.connector import ConnectorClient
from workflow_runner.plugins.connector import connector_plugin
from workflow_runner.plugins.container import container_plugin
from workflow_runner.plugins.contract import PluginEntry
from workflow_runner.plugins.echo import echo_plugin
from workflow_runner.plugins.patience import Patience
from workflow_runner.plugins.python_task import Executor, python_task_plugin
from workflow_runner.plugins.sleep import sleep_plugin
from workflow_runner.python.processes import ProcessExecutor

__all__ = ["shipped_plugins"]


def shipped_plugins(
    clients: Sequence[ConnectorClient],
    *,
    executor: Executor | ProcessExecutor = "process",
    containers: Path | None = None,
    patience: Patience | None = None,
) -> list[PluginEntry]:
    """All of them, for connector services that these clients reach. `containers` holds data of containers that run."""
    return [
        connector_plugin(clients, patience),
        python_task_plugin(executor),
        container_plugin(clients, folder=containers, patience=patience),
        sleep_plugin(),
        echo_plugin(),
    ]
