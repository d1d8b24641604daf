"""Which service names the server answers under, and which of our operations each of their methods means."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["SERVICES", "ServedService"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ServedService:
    """One full service name.

    `source` is our service of equal meaning; `methods` leads from each method name on the wire to our name for it.
    """

    name: str
    source: str
    methods: Mapping[str, str]


_ASYNC_METHODS = ("CreateTask", "GetTask", "DeleteTask", "GetTaskMetrics", "GetTaskLogs")
_METADATA_METHODS = ("GetConnector", "ListConnectors")


def _same(*names: str) -> Mapping[str, str]:
    return {name: name for name in names}


SERVICES: tuple[ServedService, ...] = (
    ServedService(
        name="connectory.v1.AsyncConnectorService",
        source="AsyncConnectorService",
        methods=_same(*_ASYNC_METHODS),
    ),
    ServedService(
        name="connectory.v1.SyncConnectorService",
        source="SyncConnectorService",
        methods=_same("ExecuteTaskSync"),
    ),
    ServedService(
        name="connectory.v1.ConnectorMetadataService",
        source="ConnectorMetadataService",
        methods=_same(*_METADATA_METHODS),
    ),
    ServedService(
        name="flyteidl.service.AsyncAgentService",
        source="AsyncConnectorService",
        methods=_same(*_ASYNC_METHODS),
    ),
    ServedService(
        name="flyteidl.service.SyncAgentService",
        source="SyncConnectorService",
        methods=_same("ExecuteTaskSync"),
    ),
    ServedService(
        name="flyteidl.service.AgentMetadataService",
        source="ConnectorMetadataService",
        methods={"GetAgent": "GetConnector", "ListAgents": "ListConnectors"},
    ),
    ServedService(
        name="flyteidl2.connector.AsyncConnectorService",
        source="AsyncConnectorService",
        methods=_same(*_ASYNC_METHODS),
    ),
    ServedService(
        name="flyteidl2.connector.ConnectorMetadataService",
        source="ConnectorMetadataService",
        methods=_same(*_METADATA_METHODS),
    ),
)
"""Every service of the connector protocol that one port answers."""
