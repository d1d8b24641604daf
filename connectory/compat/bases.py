"""The classes that connectors written for Flyte's SDK subclass."""

import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar, dataclass_transform

import msgspec

from connectory.compat.adapters import async_adapter, sync_adapter
from connectory.compat.models import LiteralMap, Resource, TaskTemplate
from connectory.connector.contract import AsyncConnector, SyncConnector, TaskCategory
from connectory.v1.connector_pb2 import GetTaskLogsResponse, GetTaskMetricsResponse, TaskExecutionMetadata

__all__ = ["AsyncConnectorBase", "ConnectorBase", "ResourceMeta", "SyncConnectorBase"]

MetaT = TypeVar("MetaT", bound="ResourceMeta")


@dataclass_transform()
class ResourceMeta:
    """What a job is found by. Annotated fields of subclasses make it a dataclass, with or without the decorator."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclass(cls)

    def encode(self) -> bytes:
        """As JSON. On the wire it travels inside the service's own envelope."""
        return json.dumps(asdict(self)).encode()  # type: ignore[call-overload]  # every subclass is a dataclass

    @classmethod
    def decode(cls: type[MetaT], data: bytes) -> MetaT:
        """The reverse of `encode`."""
        return msgspec.json.decode(data, type=cls)


class ConnectorBase(ABC):  # noqa: B024 - it is no connector by itself, its two subclasses say what is missing
    """What sync and async connectors share."""

    name = ""

    def __init__(self, task_type_name: str, task_type_version: int = 0, **kwargs: Any) -> None:
        self._task_category = TaskCategory(task_type_name, task_type_version)

    @property
    def task_category(self) -> TaskCategory:
        """The category that the connector answers."""
        return self._task_category


class SyncConnectorBase(ConnectorBase):
    """A connector that does its work within one call. `do` may be `async def` or `def`."""

    @abstractmethod
    def do(
        self, task_template: TaskTemplate, output_prefix: str, inputs: LiteralMap | None = None, **kwargs: Any
    ) -> Resource | Awaitable[Resource]:
        """Do the work."""

    def as_connector(self) -> SyncConnector[dict[str, Any]]:
        """The connector of this project that stands for it."""
        return sync_adapter(self)


class AsyncConnectorBase(ConnectorBase):
    """A connector that starts jobs. Its methods may be `async def` or `def`."""

    def __init__(self, metadata_type: type[ResourceMeta], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._metadata_type = metadata_type

    @property
    def metadata_type(self) -> type[ResourceMeta]:
        """The class of its jobs' metadata."""
        return self._metadata_type

    @abstractmethod
    def create(
        self,
        task_template: TaskTemplate,
        output_prefix: str,
        inputs: LiteralMap | None,
        task_execution_metadata: TaskExecutionMetadata | None,
        **kwargs: Any,
    ) -> ResourceMeta | Awaitable[ResourceMeta]:
        """Start a job."""

    @abstractmethod
    def get(self, resource_meta: ResourceMeta, **kwargs: Any) -> Resource | Awaitable[Resource]:
        """Report on a job."""

    @abstractmethod
    def delete(self, resource_meta: ResourceMeta, **kwargs: Any) -> Any:
        """End a job; repeating it is no error."""

    def get_metrics(self, resource_meta: ResourceMeta, **kwargs: Any) -> GetTaskMetricsResponse | Any:
        """The metrics of a job. Optional."""
        raise NotImplementedError

    def get_logs(self, resource_meta: ResourceMeta, **kwargs: Any) -> GetTaskLogsResponse | Any:
        """The log of a job. Optional."""
        raise NotImplementedError

    def as_connector(self) -> AsyncConnector[dict[str, Any], Any]:
        """The connector of this project that stands for it."""
        offers = {
            operation
            for operation in ("get_metrics", "get_logs")
            if getattr(type(self), operation) is not getattr(AsyncConnectorBase, operation)
        }
        return async_adapter(self, offers)
