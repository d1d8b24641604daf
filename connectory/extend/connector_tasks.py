"""Task classes that a connector does, in the form in which Flyte's plugins are written."""

from __future__ import annotations

from typing import Any

from connectory.authoring.blocking import completed
from connectory.authoring.template import CompileSettings
from connectory.connector.announcements import announced
from connectory.connector.discovery import discover
from connectory.connector.local import run_local
from connectory.connector.registry import Registry
from connectory.v1 import literals_pb2, tasks_pb2

__all__ = ["AsyncConnectorExecutorMixin", "SyncConnectorExecutorMixin"]


class _ConnectorExecutorMixin:
    """Stands before a task class among the bases of a class: a connector does what its `execute` would do.

    In plain Python that is a connector that is installed, or one that was registered in this process; elsewhere it is
    the one behind the engine's connector service.
    """

    def get_container(self, settings: CompileSettings) -> tasks_pb2.Container | None:
        """None: nothing of it runs in a container of its own."""
        return None

    def run(self, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """Run it through the connectors of this process; the job is deleted when the call is interrupted."""
        task: Any = self
        return completed(run_local(task.template(CompileSettings()), literals, registry=_connectors()), is_orderly=True)


class AsyncConnectorExecutorMixin(_ConnectorExecutorMixin):
    """For tasks of connectors that start jobs."""


class SyncConnectorExecutorMixin(_ConnectorExecutorMixin):
    """For tasks of connectors that answer at once."""


def _connectors() -> Registry:
    """Those that are installed, and those that modules of this process registered under Flyte's names."""
    registry = discover()
    for connector in announced():
        registry.register(connector.as_connector(), override=True)
    return registry
