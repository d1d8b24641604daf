"""Which service names the server answers under, and which of our operations each of their methods means."""

from connectory.rpc.names import ServedService, same

__all__ = ["JOB_SERVICE", "OPERATIONS_SERVICE", "SERVICES", "WATCH_SERVICE"]

_ASYNC_METHODS = ("CreateTask", "GetTask", "DeleteTask", "GetTaskMetrics", "GetTaskLogs")
_METADATA_METHODS = ("GetConnector", "ListConnectors")

SERVICES: tuple[ServedService, ...] = (
    ServedService(
        name="connectory.v1.AsyncConnectorService",
        source="AsyncConnectorService",
        methods=same(*_ASYNC_METHODS),
    ),
    ServedService(
        name="connectory.v1.SyncConnectorService",
        source="SyncConnectorService",
        methods=same("ExecuteTaskSync"),
    ),
    ServedService(
        name="connectory.v1.ConnectorMetadataService",
        source="ConnectorMetadataService",
        methods=same(*_METADATA_METHODS),
    ),
    ServedService(
        name="flyteidl.service.AsyncAgentService",
        source="AsyncConnectorService",
        methods=same(*_ASYNC_METHODS),
    ),
    ServedService(
        name="flyteidl.service.SyncAgentService",
        source="SyncConnectorService",
        methods=same("ExecuteTaskSync"),
    ),
    ServedService(
        name="flyteidl.service.AgentMetadataService",
        source="ConnectorMetadataService",
        methods={"GetAgent": "GetConnector", "ListAgents": "ListConnectors"},
    ),
    ServedService(
        name="flyteidl2.connector.AsyncConnectorService",
        source="AsyncConnectorService",
        methods=same(*_ASYNC_METHODS),
    ),
    ServedService(
        name="flyteidl2.connector.ConnectorMetadataService",
        source="ConnectorMetadataService",
        methods=same(*_METADATA_METHODS),
    ),
)
"""Every service of the connector protocol that one port answers."""

JOB_SERVICE = ServedService(
    name="connectory.v1.JobService",
    source="JobService",
    methods=same("ListJobs", "GetJob", "DeleteJob", "ReapJobs", "SettleJob"),
)
"""The service for those who operate the server; ours alone."""

WATCH_SERVICE = ServedService(
    name="connectory.v1.TaskWatchService",
    source="TaskWatchService",
    methods=same("WatchTasks"),
)
"""The service for those who would rather watch jobs than poll them; ours alone."""

OPERATIONS_SERVICE = ServedService(
    name="connectory.v1.OperationsService",
    source="OperationsService",
    methods=same("Reload"),
)
"""What those who operate the server tell it while it runs; ours alone."""
