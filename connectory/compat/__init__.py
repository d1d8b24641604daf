"""Flyte's names for connectors, as a thin layer over `connectory.connector`.

A connector that was written for Flyte's SDK runs when its imports are changed to this package; `docs/compat.md` says
what is the same and what is not. New connectors subclass `connectory.AsyncConnector` and `connectory.SyncConnector`
instead.
"""

from connectory.compat.bases import AsyncConnectorBase, ConnectorBase, ResourceMeta, SyncConnectorBase
from connectory.compat.models import LiteralMap, Resource, TaskTemplate
from connectory.compat.registry import ConnectorRegistry, FlyteConnectorNotFound
from connectory.connector.contract import TaskCategory
from connectory.v1.connector_pb2 import GetTaskLogsResponse, GetTaskMetricsResponse, TaskExecutionMetadata
from connectory.v1.execution_pb2 import TaskExecution, TaskLog

__all__ = [
    "AsyncConnectorBase",
    "ConnectorBase",
    "ConnectorRegistry",
    "FlyteConnectorNotFound",
    "GetTaskLogsResponse",
    "GetTaskMetricsResponse",
    "LiteralMap",
    "Resource",
    "ResourceMeta",
    "SyncConnectorBase",
    "TaskCategory",
    "TaskExecution",
    "TaskExecutionMetadata",
    "TaskLog",
    "TaskTemplate",
]
